// Sees a reserved effect through: its handler at work, and what it comes to in the ledger, whether or not
// somebody still waits for the reply. Invariant: who is told of an outcome is told what the ledger holds,
// or that it is unknown. What a handler may throw or leave open is execution.ts's.

import type { CapabilityCode } from '../security/capability-codes.ts'
import { boundsOf, type Command } from './admission.ts'
import type { Metrics } from './describe.ts'
import type { EgressClient } from './egress-client.ts'
import type { EgressStreamClient } from './egress-stream.ts'
import { type Execution, type Outcome, startExecution } from './execution.ts'
import type { Running } from './follow.ts'
import type { Ledger, RecordedOutcome } from './ledger.ts'
import { LedgerError } from './ledger-file.ts'
import { progressSchema } from './protocol.ts'
import type { Receipts } from './receipts.ts'
import type { ProgramRunner } from './run-program.ts'
import type { TunnelClient } from './tunnel-client.ts'

/** Codes and ids only: never arguments, results or tokens. `error` is for its name and stack. */
export type Notice =
  | { readonly kind: 'refused'; readonly code: CapabilityCode; readonly idem?: string }
  | { readonly kind: 'handler-error'; readonly action: string; readonly error: unknown }
  | { readonly kind: 'not-recorded'; readonly idem: string; readonly reason: string }

/** Places where the crash tests stop a process. Set by an entry module only. */
export type RuntimePoint = 'after-reserve' | 'after-effect'

/** What a handler has of the world, and who is told of it. */
export interface WorkDependencies {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Where a mount of the manifest is found. */
  readonly folder: (at: string) => string
  /** A secret that the manifest declares. */
  readonly secret: (name: string) => string
  /** The way to the network, through the gateway. */
  readonly egress: EgressClient
  /** The same way, for responses as they come. */
  readonly stream: EgressStreamClient
  /** The way to servers that speak no HTTP, through the gateway. */
  readonly tunnel: TunnelClient
  /** The way to the programs of the manifest. */
  readonly program: ProgramRunner
  readonly notice: (notice: Notice) => void
  readonly onPoint?: (point: RuntimePoint) => void | Promise<void>
}

/** What is kept of what was carried out. */
export interface Bookkeeping {
  readonly receipts: Receipts
  readonly metrics: Metrics
}

type Self = WorkDependencies & Bookkeeping

export interface Work {
  readonly command: Command
  readonly entry: Running
  /** Nobody is at work on it any more. */
  readonly over: (outcome: RecordedOutcome) => void
}

/** Sees the effect into the ledger, whether or not somebody still waits for the reply. */
export async function carryOut(
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
  { notice, now, folder, egress, stream, tunnel, secret, program }: Self,
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
        progress: (done, total, unit) => {
          const said = { done, total: total ?? null, ...(unit === undefined ? {} : { unit }) }
          entry.progress = progressSchema.safeParse(said).data
        },
        fetch: (request) => egress(proof, request, signal),
        stream: (request) => stream(proof, request, signal),
        connect: (request) => tunnel(proof, request, signal),
        run: (request) => program(request, signal),
      }),
    {
      declaration: action.declaration,
      ...boundsOf(command),
      onUnexpected: (error) => notice({ kind: 'handler-error', action: detail.action, error }),
    },
  )
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
