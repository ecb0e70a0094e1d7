// Hop 8: one command in, one reply out. The order is the security argument: admit (admission.ts),
// reserve in the ledger, run, sign the receipt, commit, sign the envelope, reply. Invariant: no
// handler starts before its reservation is durable, and nothing is told before its outcome is.
// Knows no bus and no sandbox; sandbox-main.ts wires both.

import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../plan/limits.ts'
import type { CapabilityCode } from '../security/capability-codes.ts'
import type { SignDocument } from '../security/verify/document.ts'
import {
  type Admission,
  admitCommand,
  agentIdOf,
  boundsOf,
  type Command,
  toClaim,
} from './admission.ts'
import { describe, healthOf, type Metrics } from './describe.ts'
import type { EgressClient } from './egress-client.ts'
import { type Execution, type Outcome, startExecution, within } from './execution.ts'
import {
  admitFollow,
  type Followed,
  type FollowRequest,
  type Running,
  toFollowClaim,
} from './follow.ts'
import type { Ledger, RecordedOutcome, Reservation } from './ledger.ts'
import { LedgerError } from './ledger-file.ts'
import { type ExecRequest, execRequestSchema, progressSchema, type Reply } from './protocol.ts'
import { createReceipts, type Receipts } from './receipts.ts'
import type { TunnelClient } from './tunnel-client.ts'

/** Codes and ids only: never arguments, results or tokens. `error` is for its name and stack. */
export type Notice =
  | { readonly kind: 'refused'; readonly code: CapabilityCode; readonly idem?: string }
  | { readonly kind: 'handler-error'; readonly action: string; readonly error: unknown }
  | { readonly kind: 'not-recorded'; readonly idem: string; readonly reason: string }

/** Places where the crash tests stop a process. Set by an entry module only. */
export type RuntimePoint = 'after-reserve' | 'after-effect'

export interface RuntimeDependencies extends Admission {
  /** Signs with the replica's receipt key. */
  readonly sign: SignDocument
  /** Undefined: it cannot be used, and every command is refused; health still answers. */
  readonly ledger: Ledger | undefined
  /** Where a mount of the manifest is found. */
  readonly folder: (at: string) => string
  /** A secret that the manifest declares. */
  readonly secret: (name: string) => string
  /** The way to the network, through the gateway. */
  readonly egress: EgressClient
  /** The way to servers that speak no HTTP, through the gateway. */
  readonly tunnel: TunnelClient
  /** What the process found out about its own confinement. */
  readonly sandbox: Readonly<Record<string, unknown>>
  readonly notice: (notice: Notice) => void
  /** A reply leaves within this; the rest of `limits.replyMs` is for the way. */
  readonly replyWithinMs?: number
  readonly onPoint?: (point: RuntimePoint) => void | Promise<void>
}

export interface Runtime {
  /** Rejects for a bug only, never for what a caller can cause; the process should end then. */
  handle(payload: unknown): Promise<Reply>
  /** Resolves when nothing is being carried out or answered, or when the time is over. */
  idle(withinMs: number): Promise<void>
}

/** What one runtime works with besides its dependencies. */
interface Self extends RuntimeDependencies {
  readonly receipts: Receipts
  /** Effects whose handler may still be at work in this process. */
  readonly running: Map<string, Running>
  readonly answering: Set<symbol>
  readonly metrics: Metrics
}

const defaultReplyWithinMs = limits.replyMs - 1_000
const idlePollMs = 20

export function createRuntime(deps: RuntimeDependencies): Runtime {
  const { sign, identity, now } = deps
  const self: Self = {
    ...deps,
    receipts: createReceipts({
      sign,
      agent: agentIdOf(deps.agent, identity),
      bootEpoch: identity.bootEpoch,
      now,
    }),
    running: new Map(),
    answering: new Set(),
    metrics: { executed: 0, failed: 0, totalMs: 0 },
  }
  return {
    async handle(payload) {
      const call = Symbol()
      self.answering.add(call)
      try {
        return await answer(self, payload)
      } finally {
        self.answering.delete(call)
      }
    },
    async idle(withinMs) {
      const until = performance.now() + withinMs
      while (self.answering.size + self.running.size > 0 && performance.now() < until) {
        await delay(idlePollMs)
      }
    },
  }
}

async function answer(self: Self, payload: unknown): Promise<Reply> {
  const parsed = execRequestSchema.safeParse(payload)
  if (!parsed.success) return refuse(self, 'MALFORMED')
  switch (parsed.data.op) {
    case 'run':
      return run(self, parsed.data)
    case 'attach':
    case 'cancel':
      return follow(self, parsed.data)
    case 'health':
      return healthOf(self)
    case 'describe':
      return describe(self.agent)
  }
}

async function run(self: Self, request: Extract<ExecRequest, { op: 'run' }>): Promise<Reply> {
  const command = await admitCommand(request, self)
  if (typeof command === 'string') return refuse(self, command)
  const { idem } = command.claims
  const { ledger } = self
  if (ledger === undefined) return refuse(self, 'LEDGER_UNAVAILABLE', idem)
  // Asked while the effect may still be at work, a probe would be told what is about to be untrue.
  if (command.detail.kind === 'probe' && isAtWork(self, command)) return { status: 'IN_PROGRESS' }
  let reservation: Reservation
  try {
    reservation = ledger.reserve(
      toClaim(command, { alive: self.running.has(idem), now: self.now() }),
    )
  } catch (cause) {
    if (cause instanceof LedgerError) return refuse(self, 'LEDGER_UNAVAILABLE', idem)
    throw cause
  }
  switch (reservation.status) {
    case 'RESERVED':
      return begin(self, command, ledger)
    case 'REFUSED':
      return refuse(self, reservation.code, idem)
    case 'DONE':
    case 'FAILED':
    case 'UNKNOWN':
      return reply(self, command, reservation)
    case 'IN_PROGRESS':
      return inProgress(self.running.get(idem))
  }
}

function isAtWork({ agent, running }: Self, { detail }: Command): boolean {
  return [...running.values()].some(
    ({ action }) => agent.actions.get(action)?.declaration.probe?.action === detail.action,
  )
}

async function begin(self: Self, command: Command, ledger: Ledger): Promise<Reply> {
  const { idem } = command.claims
  let tell: (outcome: RecordedOutcome | undefined) => void = () => undefined
  const recorded = new Promise<RecordedOutcome | undefined>((resolve) => {
    tell = resolve
  })
  const { action } = command.detail
  const entry: Running = { action, recorded, progress: undefined, cancel: () => undefined }
  // Before anything is awaited: from here on the row alone does not say that it is being run.
  self.running.set(idem, entry)
  const over = (outcome?: RecordedOutcome) => {
    self.running.delete(idem)
    tell(outcome)
  }
  await self.onPoint?.('after-reserve')
  try {
    ledger.markExecuting(idem, self.now())
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    // Nothing ran; a reservation that nobody is running counts as absent.
    over()
    return refuse(self, 'LEDGER_UNAVAILABLE', idem)
  }
  const outcome = await within(carryOut(self, { command, entry, over }, ledger), withinMsOf(self))
  return outcome === undefined ? inProgress(entry) : reply(self, command, outcome)
}

function withinMsOf({ replyWithinMs = defaultReplyWithinMs }: Self): number {
  return replyWithinMs
}

interface Work {
  readonly command: Command
  readonly entry: Running
  /** Nobody is at work on it any more. */
  readonly over: (outcome: RecordedOutcome) => void
}

/** Sees the effect into the ledger, whether or not somebody still waits for the reply. */
async function carryOut(
  self: Self,
  { command, entry, over }: Work,
  ledger: Ledger,
): Promise<RecordedOutcome> {
  const startedAt = performance.now()
  const execution = startHandler(self, command, entry)
  entry.cancel = execution.cancel
  const told = await execution.outcome
  await self.onPoint?.('after-effect')
  const recorded = await record(self, command, told, ledger)
  self.metrics.executed += 1
  self.metrics.totalMs += performance.now() - startedAt
  if (recorded.status !== 'DONE') self.metrics.failed += 1
  if (told.status === 'UNKNOWN' && command.action.declaration.effect !== 'read') {
    // Perhaps given up and still at work: until it settles nobody else may begin, and what it comes
    // to in the end replaces the unknown. Not awaited: the reply does not wait for it.
    void execution.settled.then(async (late) => {
      over(late.status === 'UNKNOWN' ? recorded : await record(self, command, late, ledger))
    })
  } else {
    over(recorded)
  }
  return recorded
}

function startHandler(
  { notice, now, folder, egress, tunnel, secret }: Self,
  command: Command,
  entry: Running,
): Execution {
  const { claims, detail, action, proof } = command
  return startExecution(
    (signal) =>
      command.run({
        idem: claims.idem,
        kind: detail.kind,
        now,
        signal,
        folder,
        secret,
        progress: (done, total) => {
          entry.progress = progressSchema.safeParse({ done, total: total ?? null }).data
        },
        fetch: (request) => egress(proof, request, signal),
        connect: (request) => tunnel(proof, request, signal),
      }),
    {
      declaration: action.declaration,
      ...boundsOf(command),
      onUnexpected: (error) => notice({ kind: 'handler-error', action: detail.action, error }),
    },
  )
}

async function follow(self: Self, request: FollowRequest): Promise<Reply> {
  const followed = await admitFollow(request, self)
  if (typeof followed === 'string') return refuse(self, followed)
  const { idem } = followed.claims
  const entry = self.running.get(idem)
  let known: ReturnType<Ledger['follow']>
  try {
    if (self.ledger === undefined) return refuse(self, 'LEDGER_UNAVAILABLE', idem)
    known = self.ledger.follow(
      toFollowClaim(followed, { alive: entry !== undefined, now: self.now() }),
    )
  } catch (cause) {
    if (cause instanceof LedgerError) return refuse(self, 'LEDGER_UNAVAILABLE', idem)
    throw cause
  }
  switch (known.status) {
    case 'REFUSED':
      return refuse(self, known.code, idem)
    case 'ABSENT':
      return known
    case 'IN_PROGRESS': {
      if (entry === undefined) return known
      if (request.op === 'cancel') entry.cancel()
      const outcome = await within(entry.recorded, withinMsOf(self))
      return outcome === undefined ? inProgress(entry) : reply(self, followed, outcome)
    }
    case 'DONE':
    case 'FAILED':
    case 'UNKNOWN':
      return reply(self, followed, known)
  }
}

function inProgress(entry: Running | undefined): Reply {
  const progress = entry?.progress
  return { status: 'IN_PROGRESS', ...(progress === undefined ? {} : { progress }) }
}

async function record(
  self: Self,
  command: Command,
  outcome: Outcome,
  ledger: Ledger,
): Promise<RecordedOutcome> {
  const { idem } = command.claims
  const recorded: RecordedOutcome =
    outcome.status === 'UNKNOWN'
      ? outcome
      : { ...outcome, receipt: await self.receipts.receipt(command, outcome) }
  try {
    ledger.record(idem, recorded, self.now())
    return recorded
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    // It happened and we cannot remember it: the row stays EXECUTING, which reads as unknown.
    self.notice({ kind: 'not-recorded', idem, reason: cause.reason })
    return { status: 'UNKNOWN' }
  }
}

async function reply(
  { receipts }: Self,
  command: Followed,
  outcome: RecordedOutcome,
): Promise<Reply> {
  switch (outcome.status) {
    case 'UNKNOWN': {
      const receipt = await receipts.receipt(command, outcome)
      return { status: 'UNKNOWN', receipt, envelope: await receipts.envelope(command, receipt) }
    }
    case 'DONE':
    case 'FAILED':
      return { ...outcome, envelope: await receipts.envelope(command, outcome.receipt) }
  }
}

function refuse({ notice }: Self, code: CapabilityCode, idem?: string): Reply {
  notice({ kind: 'refused', code, ...(idem === undefined ? {} : { idem }) })
  return { status: 'REFUSED', code }
}
