// A deployment of the test agent with servers to ask, a real gateway and a real sandbox; the notary is
// a stub, and tokens are minted with the deployment's own key, so that a test says what they allow.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createServer } from 'node:tls'
import { z } from 'zod'
import { ensureReplySchema, type Reply, replySchema } from '../../agents/protocol.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { createMinter } from '../../security/mint/token.ts'
import { prepareAuthority, prepareCertificate } from '../../security/pki/certificates.ts'
import type { CapabilityClaims } from '../../security/verify/claims.ts'
import { drawSalt, hashArgs, sha256 } from '../../security/verify/hash.ts'
import { egressSocketName } from '../../supervisor/egress.ts'
import { startDeployment, stubParty, type TestDeployment } from './deployment.ts'
import { type Handler, type Outside, startOutside } from './gateway.ts'
import { manifest, testEgress } from './test-agent/manifest.ts'

export const head = { receiver: 'test', type: 'TASK_REQUEST', correlationId: 'egress' } as const
const callsSchema = z.array(
  z.object({ call: z.string(), payload: z.record(z.string(), z.unknown()) }),
)
const salt = drawSalt()

export interface Grant {
  readonly action?: 'fetch' | 'echo' | 'tunnel'
  readonly args: Readonly<Record<string, unknown>>
  readonly claims?: Partial<CapabilityClaims>
  readonly timeoutMs?: number
}

/** What proves a step at the agent's door. */
export interface Granted {
  readonly token: string
  readonly args: Readonly<Record<string, unknown>>
  readonly salt: string
}

/** A server that says under TLS what it hears. */
export interface Mail {
  readonly port: number
  readonly ca: string
  /** Connections that reached it, TLS or not. */
  readonly arrived: Socket[]
}

export interface EgressDeployment {
  readonly deployment: TestDeployment
  readonly state: string
  readonly worker: Bus
  /** What the manifest names, and what it does not. */
  readonly server: Outside
  readonly other: Outside
  readonly mail: Mail
  /** The agent's socket, as the host sees it. */
  socket(): string
  ensure(): Promise<unknown>
  /** What the stub in the notary's place was told. */
  told(call: 'boot' | 'event'): readonly Readonly<Record<string, unknown>>[]
  /** Events of the agent's requests. */
  events(): readonly Readonly<Record<string, unknown>>[]
  grant(grant: Grant): Promise<Granted>
  /** A step of the agent, as the dispatcher would send it. */
  step(grant: Grant): Promise<Reply>
  stop(): Promise<void>
}

/** `bundles`: a program in the agent's place. */
export async function startEgressDeployment(options: {
  readonly canary: string
  readonly handler: (other: Outside) => Handler
  readonly bundles?: Readonly<Record<string, string>>
}): Promise<EgressDeployment> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-egress-'))
  const pki = mkdtempSync(join(tmpdir(), 'bulkhead-egress-pki-'))
  const other = await startOutside((_request, response) => response.end('other'))
  const server = await startOutside(options.handler(other))
  const mail = await startMail(pki)
  const settings = [
    'folder: counts',
    `server: "${server.origin}"`,
    'secret: "env://EGRESS_CANARY"',
    `mail: "tls://127.0.0.1:${mail.port}"`,
  ]
  // A folder of its own, so that the file of the configuration is written into it.
  const deployment = await startDeployment({
    agents: ['test'],
    home: { yaml: `agents:\n  test: { ${settings.join(', ')} }\n` },
    overrides: { test: { egress: testEgress } },
    notaryEntry: stubParty,
    workerEntry: stubParty,
    env: { EGRESS_CANARY: options.canary },
    state,
    ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
  })
  const worker = await connectBus({ credentials: join(state, 'worker', 'bus'), reconnect: false })
  const told: EgressDeployment['told'] = (call) => {
    const lines = readFileSync(join(state, 'notary', 'calls.ndjson'), 'utf8')
      .trim()
      .split('\n')
    return callsSchema
      .parse(lines.map((line) => JSON.parse(line)))
      .filter((one) => one.call === call)
      .map(({ payload }) => payload)
  }
  const grant: EgressDeployment['grant'] = async (wanted) => {
    const boot = told('boot').findLast((one) => one['running'] === true)
    const key = JSON.parse(readFileSync(join(state, 'notary', 'signing.jwk.json'), 'utf8'))
    const minter = await createMinter(key)
    const token = await minter.mint(
      toClaims(wanted, {
        issuer: `notary:${deployment.deployment.deployment}`,
        bootEpoch: String(boot?.['bootEpoch']),
        nkey: String(boot?.['nkey']),
      }),
    )
    return { token, args: wanted.args, salt }
  }
  const whole: EgressDeployment = {
    ...{ deployment, state, worker, server, other, mail, told, grant },
    socket: () =>
      join(dirname(deployment.deployment.controlSocket), egressSocketName({ agent: 'test', n: 0 })),
    ensure: () =>
      worker.call(
        'supervisor.ensure',
        head,
        { agent: 'test', n: 0 },
        { reply: ensureReplySchema, timeoutMs: 30_000 },
      ),
    events: () => told('event').filter(({ subject }) => subject === 'egress:test.0'),
    async step(wanted) {
      const command = { op: 'run', ...(await grant(wanted)) }
      const options = { reply: replySchema, timeoutMs: 20_000 }
      return worker.call('agent.test.0.exec', head, command, options)
    },
    async stop() {
      await worker.close()
      await deployment.stop()
      for (const socket of mail.arrived) socket.destroy()
      await Promise.all([server.close(), other.close(), mail.close()])
      for (const folder of [state, pki]) rmSync(folder, { recursive: true, force: true })
    },
  }
  await whole.ensure()
  return whole
}

function toClaims(
  { action = 'fetch', args, claims, timeoutMs = 5_000 }: Grant,
  life: { readonly issuer: string; readonly bootEpoch: string; readonly nkey: string },
): CapabilityClaims {
  const now = Math.floor(Date.now() / 1_000)
  return {
    iss: life.issuer,
    aud: `agent:test.0:${life.bootEpoch}`,
    sub: 'user:owner',
    act: { sub: 'wf:one' },
    jti: drawSalt(),
    idem: sha256(drawSalt()),
    op: 'run',
    iat: now,
    nbf: now,
    exp: now + 30,
    authorization_details: [
      {
        type: 'agent_action',
        agent: 'test.0',
        action,
        kind: 'do',
        effect: manifest.actions[action].effect,
        args_s256: hashArgs(salt, args),
        salt,
        limits: { resultBytes: 64 * 1024, timeoutMs },
      },
    ],
    cnf: { nk_s256: sha256(life.nkey) },
    plan: sha256('plan'),
    step: 'look',
    pol: 'policy',
    lbl: 'label',
    ...claims,
  }
}

async function startMail(folder: string): Promise<Mail & { close(): Promise<void> }> {
  const file = (name: string) => join(folder, name)
  const authority = await prepareAuthority(
    { certificate: file('ca.pem'), key: file('ca.key.pem') },
    Date.now(),
  )
  const files = { certificate: file('mail.pem'), key: file('mail.key.pem') }
  await prepareCertificate(files, { name: 'outside', purpose: 'server' }, authority, Date.now())
  const arrived: Socket[] = []
  const credentials = { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
  const listener = createServer(credentials, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => socket.write(chunk))
  })
  listener.on('tlsClientError', () => undefined)
  listener.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined)
    arrived.push(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    ca: authority.certificatePem,
    arrived,
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  }
}
