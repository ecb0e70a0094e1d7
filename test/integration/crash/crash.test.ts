// SIGKILL in a running deployment: real Temporal, bus, notary, worker and sandboxes. Each cell stops
// one process at one point of a note's way, looks at the agent's ledger from outside, kills, and then
// only waits: the run must finish by itself, with one entry. A point that is not reached fails.
// Not covered: loss of power, which takes the page cache as well (the stores' own tests do).

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { printTable } from '../../support/case-table.ts'
import { crashHeads, crashPlan, performCell, type Stage, toRow } from '../../support/crash-cells.ts'
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
  readonly attempts?: number
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
    title: 'agent and worker, after the reply to the only attempt',
    ...atReply,
    kill: ['agent', 'worker'],
    attempts: 1,
    before: done,
    tokens: 1,
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

const rows: (readonly string[])[] = []
let deployment: CrashDeployment

beforeAll(async () => {
  deployment = await startCrashDeployment(false)
  // The agents' first start, and proof that the gates do nothing by themselves.
  const document = await deployment.run('crash-none', crashPlan('nothing', 'none'))
  expect(document.status, JSON.stringify(document)).toBe('completed')
})
afterEach(() => {
  for (const gate of Object.values(deployment.gates)) gate.open()
})
afterAll(async () => {
  printTable('killed at a point of the way', crashHeads, rows)
  await deployment.stop()
})

describe('a run whose process is killed by SIGKILL', () => {
  it.each(cells)('finishes by itself, with one entry: $title', async (cell) => {
    const stages: readonly Stage[] = [
      ...(cell.agentAt === undefined ? [] : [['agent', cell.agentAt] as const]),
      ...(cell.workerAt === undefined ? [] : [['worker', `${cell.workerAt} keep`] as const]),
    ]
    const seen = await performCell(deployment, { ...cell, stages })
    rows.push(toRow(cell.title, seen))
    const { before, after, document, entries, killed, title } = seen

    expect(before).toMatchObject(cell.before)
    expect(document.status, JSON.stringify(document)).toBe('completed')
    for (const { outcome } of document.steps) expect(outcome).toMatch(/^(already-)?settled$/)
    expect(document.answer?.split(title)).toHaveLength(2)
    expect(entries).toBe(1)
    const { tokens, epochs } = cell
    const settled = { idem: before?.idem, ledger: 'DONE', notary: 'settled', tokens, epochs }
    expect(after).toEqual(settled)
    expect(document.audit.verified).toBe(true)
    for (const { victim, pid, restarts } of killed) {
      const now = await deployment.find(victim)
      expect(now.pid).not.toBe(pid)
      expect(now.restarts).toBe(restarts + 1)
    }
  })

  it('is told as failed, and not as unknown, when its only command never arrived', async () => {
    const title = 'agent and worker, before the only command is sent'
    const stages: readonly Stage[] = [['worker', 'after-authorise keep']]
    const kill = ['agent', 'worker'] as const
    const seen = await performCell(deployment, { title, stages, kill, attempts: 1 })
    rows.push(toRow(title, seen))
    expect(seen.before).toMatchObject({ ledger: 'absent', notary: 'open' })
    expect(seen.after).toMatchObject({ ledger: 'absent', notary: 'failed', tokens: 1 })
    const keep = seen.document.steps.find(({ id }) => id === 'keep')
    expect(keep).toMatchObject({ outcome: 'failed', code: 'NOT_BEGUN' })
    expect(seen.entries).toBe(0)
  })

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(cells.length + 2)
    expect(verified.witnesses).toBe(3)
  })
})
