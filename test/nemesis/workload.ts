// The runs of the nemesis: most read, keep an entry and read it back; some do what cannot be done twice
// unseen. Each is asked for until it was accepted and followed until it ended, through whatever happens
// to the platform meanwhile: every call is idempotent by the request's id.

import { setTimeout as delay } from 'node:timers/promises'
import type { Session } from '../../cli/session.ts'
import type { RunResult } from '../../workflows/contract.ts'
import type { Connection } from '../support/connection.ts'

export interface Job {
  readonly requestId: string
  /** Occurs in the outside world once, if the run's effect happened. */
  readonly title: string
  /** `count` appends a line each time it runs; `append` looks for its own entry first. */
  readonly kind: 'append' | 'count'
}

export interface Ending {
  readonly job: Job
  /** Undefined: it did not end in time. */
  readonly result: RunResult | undefined
}

export function drawJob(index: number, seed: number): Job {
  return {
    requestId: `nemesis-${seed}-${index}`,
    title: `Entry ${seed}-${index}-x`,
    kind: index % 5 === 4 ? 'count' : 'append',
  }
}

export function planOf({ kind, title }: Job): string {
  const effect =
    kind === 'append'
      ? `{ id: act, agent: notes, action: append, timeoutMs: 2000, args: { note: nemesis, text: { $text: "${title} {{day}}", with: { day: { $from: "today#/day" } } } } }`
      : `{ id: act, agent: test, action: count, args: { text: { $from: "today#/day" } } }`
  return `
version: 1
goal: Do one thing once
steps:
  - { id: today, agent: calendar, action: list, timeoutMs: 2000, args: { day: today, calendars: [work] } }
  - ${effect}
answer: { from: [act] }
`
}

/** Nobody will ever accept this plan: a mistake of the nemesis itself. */
class Refused extends Error {}

/** Refusals that no later call will see otherwise. */
const final: readonly string[] = ['PLAN_INVALID', 'POLICY', 'NOT_PERMITTED']

const againAfterMs = 250

/** Ends when the run has ended, or when `signal` says that it was too long. */
export async function perform(
  job: Job,
  connection: Connection,
  signal: AbortSignal,
): Promise<Ending> {
  const { requestId } = job
  const request = { kind: 'plan', name: 'nemesis', source: planOf(job), inputs: {} } as const
  let started = false
  while (!signal.aborted) {
    try {
      const result = await connection.use(async (session) => {
        if (!started) {
          await start(session, requestId, request)
          started = true
        }
        const { closed } = await session.runs.describe(requestId)
        return closed ? await session.runs.result(requestId) : undefined
      })
      if (result !== undefined) return { job, result }
    } catch (error) {
      if (error instanceof Refused) throw error
      // Else asked again: that is what the nemesis is for.
    }
    await delay(againAfterMs)
  }
  return { job, result: undefined }
}

async function start(
  session: Session,
  requestId: string,
  request: {
    readonly kind: 'plan'
    readonly name: string
    readonly source: string
    inputs: object
  },
): Promise<void> {
  const { kind, name, source } = request
  const asked = { kind, name, source, inputs: {} }
  const stored = await session.putRequest(requestId, JSON.stringify(asked))
  if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
  const registered = await session.request({ requestId, ...asked, priority: 'MEDIUM' })
  if (registered.status === 'REFUSED' && final.includes(registered.code)) {
    throw new Refused(JSON.stringify(registered))
  }
  if (registered.status !== 'REGISTERED') throw new Error(registered.code)
  await session.runs.submit({ requestId, requestRef: stored.ref })
}
