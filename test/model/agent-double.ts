// The real runtime and the real ledger of an agent whose handler does what a trace says, when it says
// so. Stops at every point where the model has an action. A crash closes the ledger's file and leaves
// behind what was in memory; what was at work then can neither act nor write any more.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { RuntimePoint } from '../../agents/carry-out.ts'
import { ActionFailure, defineAgent } from '../../agents/define-agent.ts'
import type { Ledger } from '../../agents/ledger.ts'
import { LedgerError } from '../../agents/ledger-file.ts'
import type { Reply } from '../../agents/protocol.ts'
import { defineManifest } from '../../plan/manifest.ts'
import { identity, startBareRuntime } from '../support/agent-commands.ts'
import type { TestHome } from '../support/agent-home.ts'
import { countsAt, countsFile } from '../support/test-agent/manifest.ts'

const input = z.strictObject({ note: z.string(), text: z.string(), dryRun: z.boolean() })
const output = z.strictObject({ entry: z.string() })
const common = {
  effect: 'write',
  audience: 'owner',
  timeoutMs: 15_000,
  maxResultBytes: 1_024,
  summary: 'acts when the trace says so',
  input,
  output,
  roles: { '/note': 'control', '/text': 'content', '/dryRun': 'control' },
  undo: {
    action: 'retract',
    args: { note: { $args: '/note' }, entry: { $idem: true }, dryRun: false },
  },
} as const

export const manifest = defineManifest({
  name: 'desk',
  summary: 'for the model',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [{ from: { config: 'desk.folder' }, at: countsAt, mode: 'rw' }],
  actions: {
    book: { ...common, idempotent: false },
    append: { ...common, idempotent: true },
    retract: {
      ...common,
      idempotent: true,
      input: z.strictObject({ note: z.string(), entry: z.string(), dryRun: z.boolean() }),
      roles: { '/note': 'control', '/entry': 'opaque', '/dryRun': 'control' },
      undo: 'none',
    },
  },
})

/** How a handler ends. */
export type Ending = 'act' | 'actAndThrow' | 'throwUnacted' | 'failAbsent'

/** A point that is reached by one side and left when the other says so. */
interface Gate<Value> {
  readonly reached: Promise<void>
  pass(): Promise<Value>
  open(value: Value): void
  abandon(): void
}

function createGate<Value>(): Gate<Value> {
  let reach: () => void = () => undefined
  let open: (value: Value) => void = () => undefined
  let abandon: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<Value>((resolve, reject) => {
    open = resolve
    abandon = () => reject(new Error('the process is gone'))
  })
  // One that nobody stands at may be abandoned too.
  opened.catch(() => undefined)
  const pass = () => {
    reach()
    return opened
  }
  return { reached, pass, open, abandon }
}

/** One command that is being carried out. */
interface Work {
  readonly reserved: Gate<void>
  readonly entered: Gate<Ending>
  readonly ended: Gate<void>
  reply: Promise<Reply | undefined>
}

export interface AgentDouble {
  readonly receiptKey: unknown
  /** The reply, or STARTED when the handler is about to begin. */
  deliver(jti: number, idem: string, command: unknown): Promise<Reply | 'STARTED'>
  execute(jti: number): Promise<void>
  end(jti: number, ending: Ending): Promise<void>
  record(jti: number): Promise<Reply>
  crash(): Promise<void>
}

export interface Replica {
  readonly bootEpoch: string
  readonly issuer: string
  readonly nkey: string
  readonly jwks: unknown
  readonly now: () => number
}

export async function startAgent(home: TestHome, replica: Replica): Promise<AgentDouble> {
  const works = new Map<number, Work>()
  const byIdem = new Map<string, Work>()
  /** The model lets one thing happen at a time, so the point that is reached next is this one's. */
  let current: Work | undefined
  let isDead = false
  const workNow = () => {
    if (current === undefined) throw new Error('nobody is at work')
    return current
  }
  const handler = async (context: { readonly idem: string; readonly kind: string }) => {
    const ending = await byIdem.get(context.idem)?.entered.pass()
    if (ending === 'act' || ending === 'actAndThrow') {
      appendFileSync(join(home.folder, countsAt, countsFile), `${context.idem}\n`)
    }
    if (ending === 'act') return { entry: context.idem }
    if (ending === 'failAbsent') throw new ActionFailure('UNAVAILABLE', 'absent')
    throw new Error('a handler that does not know')
  }
  const act = (_args: unknown, context: Parameters<typeof handler>[0]) => handler(context)
  const onPoint = (point: RuntimePoint) => {
    if (isDead) return undefined
    return point === 'after-reserve' ? workNow().reserved.pass() : workNow().ended.pass()
  }
  const overrides = {
    agent: defineAgent(manifest, { book: act, append: act, retract: act }),
    identity: { ...identity, ...replica, n: 0 },
    now: replica.now,
    onPoint,
  }
  const mortal = (ledger: Ledger): Ledger => {
    const alive =
      <Call extends readonly unknown[], Result>(work: (...call: Call) => Result) =>
      (...call: Call): Result => {
        if (isDead) throw new LedgerError('NOT_WRITABLE', 'the process is gone')
        return work(...call)
      }
    return {
      ...ledger,
      reserve: alive(ledger.reserve),
      markExecuting: alive(ledger.markExecuting),
      record: alive(ledger.record),
    }
  }
  const runtime = await startBareRuntime(home, replica.jwks, overrides, mortal)
  const workOf = (jti: number) => {
    const work = works.get(jti)
    if (work === undefined) throw new Error(`command ${jti} is not being carried out`)
    current = work
    return work
  }
  return {
    receiptKey: runtime.receiptPublicJwk,
    async deliver(jti, idem, command) {
      const work: Work = {
        reserved: createGate(),
        entered: createGate(),
        ended: createGate(),
        reply: Promise.resolve(undefined),
      }
      current = work
      // Before the handler can look for it; a command that does not begin leaves the one at work.
      const before = byIdem.get(idem)
      const reply = runtime.handle(command)
      work.reply = reply.catch(() => undefined)
      const begins = work.reserved.reached.then(() => 'STARTED' as const)
      const answer = await Promise.race([begins, reply])
      if (answer === 'STARTED') {
        if (before !== undefined && works.has(jti)) throw new Error('one command began twice')
        works.set(jti, work)
        byIdem.set(idem, work)
      }
      return answer
    },
    async execute(jti) {
      const { reserved, entered } = workOf(jti)
      reserved.open()
      await entered.reached
    },
    async end(jti, ending) {
      const { entered, ended } = workOf(jti)
      entered.open(ending)
      await ended.reached
    },
    async record(jti) {
      const { ended, reply } = workOf(jti)
      ended.open()
      const told = await reply
      if (told === undefined) throw new Error('the runtime failed')
      works.delete(jti)
      return told
    },
    async crash() {
      isDead = true
      runtime.ledgerHandle.close()
      for (const { reserved, entered, ended } of works.values()) {
        reserved.open()
        entered.abandon()
        ended.open()
      }
      await Promise.all([...works.values()].map(({ reply }) => reply))
    },
  }
}
