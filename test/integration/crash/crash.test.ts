// SIGKILL in a running deployment: real Temporal, bus, notary, worker and sandboxes. Each cell stops
// one process at one point of a note's way, looks at the agent's ledger from outside, kills, and then
// only waits: the run must finish by itself, with one entry. A point that is not reached fails.
// Not covered: loss of power, which takes the page cache as well (the stores' own tests do).

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type CrashDeployment,
  type EffectFacts,
  startCrashDeployment,
  type Victim,
} from '../../support/crash-deployment.ts'

interface Cell {
  readonly title: string
  /** Which process has to stand where, before anything is killed. */
  readonly agentAt?: 'after-reserve' | 'after-effect' | 'after-reply'
  readonly workerAt?: 'after-reply' | 'after-artifact' | 'after-settle'
  readonly kill: readonly Victim[]
  readonly before: Pick<EffectFacts, 'ledger' | 'notary'>
  /** Tokens that the effect takes in all; a receipt that is already there needs no second one. */
  readonly tokens: number
  /** Boots of the agent that they were for. */
  readonly epochs: number
}

const reserved = { ledger: 'RESERVED', notary: 'open' }
const executing = { ledger: 'EXECUTING', notary: 'open' }
const done = { ledger: 'DONE', notary: 'open' }
const atReply = { agentAt: 'after-reply', workerAt: 'after-reply' } as const

const cells: readonly Cell[] = [
  {
    title: 'agent, after reserve',
    agentAt: 'after-reserve',
    kill: ['agent'],
    before: reserved,
    tokens: 2,
    epochs: 2,
  },
  {
    title: 'agent, after effect',
    agentAt: 'after-effect',
    kill: ['agent'],
    before: executing,
    tokens: 2,
    epochs: 2,
  },
  {
    title: 'agent, after the reply before settle',
    ...atReply,
    kill: ['agent'],
    before: done,
    tokens: 1,
    epochs: 1,
  },
  {
    title: 'worker, after reserve',
    agentAt: 'after-reserve',
    kill: ['worker'],
    before: reserved,
    tokens: 2,
    epochs: 1,
  },
  {
    title: 'worker, after effect',
    agentAt: 'after-effect',
    kill: ['worker'],
    before: executing,
    tokens: 2,
    epochs: 1,
  },
  {
    title: 'worker, after the reply before settle',
    ...atReply,
    kill: ['worker'],
    before: done,
    tokens: 2,
    epochs: 1,
  },
  {
    title: 'worker, after the result was stored',
    workerAt: 'after-artifact',
    kill: ['worker'],
    before: done,
    tokens: 2,
    epochs: 1,
  },
  {
    title: 'worker, after settle',
    workerAt: 'after-settle',
    kill: ['worker'],
    before: { ledger: 'DONE', notary: 'settled' },
    tokens: 1,
    epochs: 1,
  },
  {
    title: 'agent and worker, after the reply before settle',
    ...atReply,
    kill: ['agent', 'worker'],
    before: done,
    tokens: 2,
    epochs: 2,
  },
  {
    title: 'notary, between mint and settle',
    workerAt: 'after-reply',
    kill: ['notary'],
    before: done,
    tokens: 1,
    epochs: 1,
  },
]

/** A cold worker on a busy machine; the gate itself is looked at every few milliseconds. */
const reachedWithinMs = 30_000

/** Reads, writes what was read, and reads back what was written: provenance must survive as well. */
const planOf = (title: string, note: string) => `
version: 1
goal: Keep one entry through a crash
steps:
  - id: today
    agent: calendar
    action: list
    args: { day: today, calendars: [work] }
  - id: keep
    agent: notes
    action: append
    timeoutMs: 2000
    args:
      note: ${note}
      text: { $text: "${title} {{day}}", with: { day: { $from: "today#/day" } } }
  - id: back
    agent: notes
    action: read
    args: { note: { $from: "keep#/note" } }
answer: { from: [back], template: "{{back.text}}" }
`

const rows: string[][] = []
let deployment: CrashDeployment

beforeAll(async () => {
  deployment = await startCrashDeployment()
  // The agents' first start, and proof that the gates do nothing by themselves.
  const document = await deployment.run('crash-none', planOf('nothing', 'none'))
  expect(document.status, JSON.stringify(document)).toBe('completed')
})
afterEach(() => {
  deployment.gates.agent.open()
  deployment.gates.worker.open()
})
afterAll(async () => {
  printTable()
  await deployment.stop()
})

describe('a run whose process is killed by SIGKILL', () => {
  it.each(cells)('finishes by itself, with one entry: $title', async (cell) => {
    const title = `Entry ${randomUUID()}`
    const name = cell.title.replaceAll(/[^a-z]+/g, '-')
    const requestId = `crash-${name}`
    const { gates } = deployment

    if (cell.agentAt !== undefined) gates.agent.arm(cell.agentAt)
    if (cell.workerAt !== undefined) gates.worker.arm(`${cell.workerAt} keep`)
    const running = deployment.run(requestId, planOf(title, name))
    // Awaited below; a point that is not reached is told first.
    running.catch(() => undefined)
    if (cell.agentAt !== undefined) await gates.agent.reached(reachedWithinMs)
    if (cell.workerAt !== undefined) await gates.worker.reached(reachedWithinMs)

    const before = deployment.effect(requestId, 'keep')
    const killed = await Promise.all(
      cell.kill.map(async (victim) => ({ victim, ...(await deployment.find(victim)) })),
    )
    const killedAt = performance.now()
    for (const { pid } of killed) await deployment.kill(pid)
    // The bus needs a moment to see that a party is gone; what it takes for a dead one meanwhile is
    // lost, and asked for again after ten seconds that every run of this test would wait.
    await delay(250)
    gates.agent.release()
    gates.worker.release()

    const document = await running
    const tookMs = Math.round(performance.now() - killedAt)
    const after = deployment.effect(requestId, 'keep')
    const entries = deployment.notes().split(title).length - 1
    const attempts = document.steps.map((step) => step.attempts).join(' ')
    rows.push([
      cell.title,
      killed.map(({ victim, pid }) => `${victim} ${pid}`).join(', '),
      'SIGKILL',
      `${before.ledger} ${before.idem.slice(0, 8)} (${before.notary})`,
      `${after.ledger} ${after.idem.slice(0, 8)} (${after.notary})`,
      String(after.tokens),
      String(after.epochs),
      attempts,
      String(entries),
      document.steps.map(({ outcome }) => outcome).join(' '),
      String(document.audit.verified),
      `${tookMs} ms`,
    ])

    expect(before).toMatchObject(cell.before)
    expect(document.status, JSON.stringify(document)).toBe('completed')
    for (const { outcome } of document.steps) expect(outcome).toMatch(/^(already-)?settled$/)
    expect(document.answer?.split(title)).toHaveLength(2)
    expect(entries).toBe(1)
    const { tokens, epochs } = cell
    const settled = { idem: before.idem, ledger: 'DONE', notary: 'settled', tokens, epochs }
    expect(after).toEqual(settled)
    expect(document.audit.verified).toBe(true)
    for (const { victim, pid, restarts } of killed) {
      const now = await deployment.find(victim)
      expect(now.pid).not.toBe(pid)
      expect(now.restarts).toBe(restarts + 1)
    }
  })

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(cells.length + 1)
    expect(verified.witnesses).toBe(3)
  })
})

function printTable(): void {
  const head = [
    'killed',
    'process',
    'signal',
    'ledger row before (notary)',
    'ledger row after (notary)',
    'tokens',
    'epochs',
    'attempts',
    'entries',
    'steps',
    'audit',
    'kill to end',
  ]
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const lines = all.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
  process.stdout.write(`\n${lines.join('\n')}\n\n`)
}
