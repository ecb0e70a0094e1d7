// One cell of the crash matrix: a run is stopped where a process stands at a named point, what has to
// die is killed, and then it is only waited for. What was seen goes into a table, whatever the verdict.

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunDocument } from '../../cli/run-view.ts'
import type { CrashDeployment, EffectFacts, Process, Victim } from './crash-deployment.ts'

export type Stage = readonly ['agent' | 'worker' | 'notary', string]

export interface Killed extends Process {
  readonly victim: Victim
}

export interface Observation {
  readonly requestId: string
  readonly title: string
  readonly before: EffectFacts | undefined
  readonly after: EffectFacts | undefined
  readonly killed: readonly Killed[]
  readonly document: RunDocument
  /** Of the title, in all notes. */
  readonly entries: number
  readonly tookMs: number
}

/** A cold worker on a busy machine; the gate itself is looked at every few milliseconds. */
const reachedWithinMs = 30_000

/**
 * Reads, writes what was read, and reads back what was written: provenance must survive as well. All
 * short enough for the fast lane, which takes the reads.
 */
export const crashPlan = (title: string, note: string, attempts = 5) => `
version: 1
goal: Keep one entry through a crash
steps:
  - id: today
    agent: calendar
    action: list
    timeoutMs: 2000
    args: { day: today, calendars: [work] }
  - id: keep
    agent: notes
    action: append
    timeoutMs: 2000
    attempts: ${attempts}
    args:
      note: ${note}
      text: { $text: "${title} {{day}}", with: { day: { $from: "today#/day" } } }
  - id: back
    agent: notes
    action: read
    timeoutMs: 2000
    args: { note: { $from: "keep#/note" } }
answer: { from: [back], template: "{{back.text}}" }
`

/** @throws Error when a point is not reached */
export async function performCell(
  deployment: CrashDeployment,
  cell: {
    readonly title: string
    readonly stages: readonly Stage[]
    readonly kill: readonly Victim[]
    /** At the note, beyond which its outcome is settled. */
    readonly attempts?: number
  },
): Promise<Observation> {
  const title = `Entry ${randomUUID()}`
  const name = cell.title.replaceAll(/[^a-z]+/g, '-').slice(0, 60)
  const requestId = `crash-${name}-${randomUUID().slice(0, 8)}`
  const { gates } = deployment
  for (const [who, point] of cell.stages) gates[who].arm(point)
  const running = deployment.run(requestId, crashPlan(title, name.slice(0, 40), cell.attempts))
  // Awaited below; a point that is not reached is told first.
  running.catch(() => undefined)
  for (const [who] of cell.stages) await gates[who].reached(reachedWithinMs)

  const before = deployment.effect(requestId, 'keep')
  const killed = await Promise.all(
    cell.kill.map(async (victim) => ({ victim, ...(await deployment.find(victim)) })),
  )
  const killedAt = performance.now()
  for (const { pid } of killed) await deployment.kill(pid)
  // The bus needs a moment to see that a party is gone; what it takes for a dead one meanwhile is
  // lost, and asked for again after ten seconds that every run of this test would wait.
  await delay(250)
  for (const gate of Object.values(gates)) gate.release()

  const document = await running
  const tookMs = Math.round(performance.now() - killedAt)
  const after = deployment.effect(requestId, 'keep')
  const entries = deployment.notes().split(title).length - 1
  return { requestId, title, before, after, killed, document, entries, tookMs }
}

const row = (facts: EffectFacts | undefined) =>
  facts === undefined ? 'none' : `${facts.ledger} ${facts.idem.slice(0, 8)} (${facts.notary})`

export const crashHeads = [
  'killed at',
  'process',
  'signal',
  'ledger row before (notary)',
  'ledger row after (notary)',
  'tokens',
  'epochs',
  'attempts',
  'lanes',
  'entries',
  'steps',
  'audit',
  'kill to end',
] as const

export function toRow(title: string, seen: Observation): readonly string[] {
  const { document, before, after } = seen
  return [
    title,
    seen.killed.map(({ victim, pid }) => `${victim} ${pid}`).join(', '),
    'SIGKILL',
    row(before),
    row(after),
    String(after?.tokens ?? 0),
    String(after?.epochs ?? 0),
    document.steps.map((step) => step.attempts).join(' '),
    document.steps.map((step) => step.lane ?? 'regular').join(' '),
    String(seen.entries),
    document.steps.map(({ outcome }) => outcome).join(' '),
    String(document.audit.verified),
    `${seen.tookMs} ms`,
  ]
}
