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
  type Proven,
  toClaim,
  toFollowClaim,
} from './admission.ts'
import { isAtWork } from './at-work.ts'
import { type Bookkeeping, carryOut, type WorkDependencies } from './carry-out.ts'
import { describe, healthOf } from './describe.ts'
import { admitFollow, type FollowRequest, orSoFar, type Running, tellEvery } from './follow.ts'
import type { Ledger, RecordedOutcome, Reservation } from './ledger.ts'
import { LedgerError } from './ledger-file.ts'
import { type ExecRequest, execRequestSchema, type Reply } from './protocol.ts'
import { createReceipts } from './receipts.ts'

export interface RuntimeDependencies extends Admission, WorkDependencies {
  /** Signs with the replica's receipt key. */
  readonly sign: SignDocument
  /** Undefined: it cannot be used, and every command is refused; health still answers. */
  readonly ledger: Ledger | undefined
  /** What the process found out about its own confinement. */
  readonly sandbox: Readonly<Record<string, unknown>>
  /** A reply leaves within this; the rest of `limits.replyMs` is for the way. */
  readonly replyWithinMs?: number
  /** In place of the usual least time between two words of how far a handler is. */
  readonly leastTellMs?: number
}

export interface Runtime {
  /** Rejects for a bug only, never for what a caller can cause; the process should end then. */
  handle(payload: unknown): Promise<Reply>
  /** Resolves when nothing is being carried out or answered, or when the time is over. */
  idle(withinMs: number): Promise<void>
}

/** What one runtime works with besides its dependencies. */
interface Self extends RuntimeDependencies, Bookkeeping {
  /** Effects whose handler may still be at work in this process. */
  readonly running: Map<string, Running>
  readonly answering: Set<symbol>
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
  if (isAtWork(command, self)) return { status: 'IN_PROGRESS' }
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

async function begin(self: Self, command: Command, ledger: Ledger): Promise<Reply> {
  const { idem } = command.claims
  let tell: (outcome: RecordedOutcome | undefined) => void = () => undefined
  const recorded = new Promise<RecordedOutcome | undefined>((resolve) => {
    tell = resolve
  })
  const { action } = command.detail
  const nothing = { progress: undefined, told: undefined, cancel: () => undefined }
  const entry: Running = { action, recorded, ...nothing }
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
  const work = carryOut(self, { command, entry, over }, ledger)
  const outcome = await orSoFar(entry, work, patienceOf(self, boundsOf(command)))
  return outcome === undefined ? inProgress(entry) : reply(self, command, outcome)
}

function patienceOf(
  { replyWithinMs = defaultReplyWithinMs, leastTellMs }: Self,
  { timeoutMs }: { readonly timeoutMs: number },
) {
  return { withinMs: replyWithinMs, everyMs: tellEvery(timeoutMs, leastTellMs) }
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
    case 'ABSENT': {
      // Signed, so that the notary can take it for what it is: nothing has happened so far.
      const receipt = await self.receipts.receipt(followed, notBegun)
      return { ...known, receipt, envelope: await self.receipts.envelope(followed, receipt) }
    }
    case 'IN_PROGRESS': {
      if (entry === undefined) return known
      if (request.op === 'cancel') entry.cancel()
      const patience = patienceOf(self, followed.detail.limits)
      const outcome = await orSoFar(entry, entry.recorded, patience)
      return outcome === undefined ? inProgress(entry) : reply(self, followed, outcome)
    }
    case 'DONE':
    case 'FAILED':
    case 'UNKNOWN':
      return reply(self, followed, known)
  }
}

const notBegun = { status: 'FAILED', code: 'NOT_BEGUN', retry: 'absent' } as const

function inProgress(entry: Running | undefined): Reply {
  const progress = entry?.progress
  if (entry !== undefined) entry.told = progress
  return { status: 'IN_PROGRESS', ...(progress === undefined ? {} : { progress }) }
}

async function reply(
  { receipts }: Self,
  command: Proven,
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
