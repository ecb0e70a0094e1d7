// Commands with real tokens for a test's agent: a notary's key, and one function that says which
// part of an honest command is changed. Also the runtime around a temporary ledger.

import { join } from 'node:path'
import type { Notice } from '../../agents/carry-out.ts'
import { createEgressClient } from '../../agents/egress-client.ts'
import { createEgressStreams } from '../../agents/egress-stream.ts'
import { createTurnstile } from '../../agents/gateway-call.ts'
import { type Ledger, openLedger } from '../../agents/ledger.ts'
import type { Reply } from '../../agents/protocol.ts'
import { createProgramRunner } from '../../agents/run-program.ts'
import { createRuntime, type Runtime, type RuntimeDependencies } from '../../agents/runtime.ts'
import { createTunnelClient } from '../../agents/tunnel-client.ts'
import type { Effect } from '../../plan/manifest.ts'
import { createMinter } from '../../security/mint/token.ts'
import { createDocumentSigner } from '../../security/verify/document.ts'
import { drawSalt, hashArgs, sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { type CapabilityClaims, createTokenKeys } from '../../security/verify/token.ts'
import { ledgerId, ledgerKey, type TestHome } from './agent-home.ts'
import { agent } from './test-agent/agent.ts'
import { manifest } from './test-agent/manifest.ts'

type ActionName = keyof typeof manifest.actions
export const identity = {
  issuer: 'notary:testtest',
  n: 1,
  bootEpoch: 'epoch-one-0001',
  nkey: 'UTESTKEY',
}

export interface CommandInput {
  readonly action: ActionName | 'absent'
  readonly args?: Readonly<Record<string, unknown>>
  /** What is sent instead of what was authorised. */
  readonly sent?: Readonly<Record<string, unknown>>
  readonly idem?: string
  readonly effect?: Effect
  readonly limits?: { readonly resultBytes: number; readonly timeoutMs: number }
  readonly claims?: Partial<CapabilityClaims>
}

export interface Authority {
  readonly privateJwk: unknown
  readonly jwks: { readonly keys: readonly unknown[] }
  command(input: CommandInput): Promise<{
    readonly op: 'run'
    readonly token: string
    readonly args: Readonly<Record<string, unknown>>
    readonly salt: string
  }>
}

/** One salt for all: the notary draws one per `idem` and repeats it for every attempt. */
const salt = drawSalt()

export async function createAuthority(
  replica: { readonly bootEpoch: string; readonly nkey: string } = identity,
): Promise<Authority> {
  const { privateJwk, publicJwk } = await generateKeyPairJwk()
  const minter = await createMinter(privateJwk)
  return {
    privateJwk,
    jwks: { keys: [publicJwk] },
    async command({
      action,
      args = {},
      sent = args,
      idem = sha256('one'),
      effect,
      limits,
      claims,
    }) {
      const now = Math.floor(Date.now() / 1_000)
      const declared = new Map<string, { readonly effect: Effect }>(
        Object.entries(manifest.actions),
      )
      const token = await minter.mint({
        iss: identity.issuer,
        aud: `agent:test.1:${replica.bootEpoch}`,
        sub: 'user:owner',
        act: { sub: 'wf:one' },
        jti: drawSalt(),
        idem,
        op: 'run',
        iat: now,
        nbf: now,
        exp: now + 30,
        authorization_details: [
          {
            type: 'agent_action',
            agent: 'test.1',
            action,
            kind: 'do',
            effect: effect ?? declared.get(action)?.effect ?? 'read',
            args_s256: hashArgs(salt, args),
            salt,
            limits: limits ?? { resultBytes: 64 * 1024, timeoutMs: 10_000 },
          },
        ],
        cnf: { nk_s256: sha256(replica.nkey) },
        plan: sha256('plan'),
        step: 'step',
        pol: 'policy',
        lbl: 'label',
        ...claims,
      })
      return { op: 'run', token, args: sent, salt }
    },
  }
}

export interface BareRuntime extends Runtime {
  readonly ledgerHandle: Ledger
  readonly notices: readonly Notice[]
  readonly receiptPublicJwk: unknown
}
export interface TestRuntime extends BareRuntime {
  run(input: CommandInput): Promise<Reply>
}

export async function startRuntime(
  home: TestHome,
  authority: Authority,
  overrides: Partial<RuntimeDependencies> = {},
  wrap?: (ledger: Ledger) => Ledger,
): Promise<TestRuntime> {
  const runtime = await startBareRuntime(home, authority.jwks, overrides, wrap)
  return { ...runtime, run: async (input) => runtime.handle(await authority.command(input)) }
}

/** For a process that gets its command from elsewhere. */
export async function startBareRuntime(
  home: TestHome,
  jwks: unknown,
  overrides: Partial<RuntimeDependencies> = {},
  wrap: (ledger: Ledger) => Ledger = (ledger) => ledger,
): Promise<BareRuntime> {
  const ledgerHandle = openLedger({ folder: home.ledger, id: ledgerId, key: ledgerKey })
  const receiptKey = await generateKeyPairJwk()
  const notices: Notice[] = []
  const socket = join(home.folder, 'run/egress.sock')
  const enter = createTurnstile()
  const runtime = createRuntime({
    agent,
    identity,
    tokenKeys: await createTokenKeys(jwks),
    sign: await createDocumentSigner(receiptKey.privateJwk),
    ledger: wrap(ledgerHandle),
    folder: (at) => join(home.folder, at),
    secret: (name) => `secret of ${name}`,
    egress: createEgressClient(socket, enter),
    stream: createEgressStreams(socket, enter),
    tunnel: createTunnelClient(socket),
    program: createProgramRunner([]),
    sandbox: { seccomp: 2 },
    now: Date.now,
    notice: (notice) => notices.push(notice),
    ...overrides,
  })
  return { ...runtime, ledgerHandle, notices, receiptPublicJwk: receiptKey.publicJwk }
}
