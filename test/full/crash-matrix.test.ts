// The whole matrix: every named point of a note's way, from the request to the settled outcome, and at
// each of them every process that takes part killed by SIGKILL; at some of them all at once. Whatever
// is killed, the run finishes by itself, with one entry. A point that is not reached fails. The same
// table with short steps inside their run's workflow task and without.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RunDocument } from '../../cli/run-view.ts'
import { printTable } from '../support/case-table.ts'
import { crashHeads, crashPlan, performCell, type Stage, toRow } from '../support/crash-cells.ts'
import {
  type CrashDeployment,
  startCrashDeployment,
  type Victim,
} from '../support/crash-deployment.ts'

/** In the order of the way. What lies between two of them is tried from both sides. */
const stages: readonly (readonly [string, Stage])[] = [
  ['before request', ['notary', 'before-request -']],
  ['after request', ['notary', 'after-request -']],
  ['before admit', ['notary', 'before-admit -']],
  ['after admit', ['notary', 'after-admit -']],
  ['before authorize', ['notary', 'before-authorize keep']],
  ['after audit commit, before mint', ['notary', 'after-record keep']],
  ['after mint', ['notary', 'after-mint keep']],
  ['before publish', ['worker', 'after-authorise keep']],
  ['after publish', ['worker', 'after-send keep']],
  ['after reserve, before effect', ['agent', 'after-reserve']],
  ['after effect', ['agent', 'after-effect']],
  ['after reply', ['agent', 'after-reply']],
  ['reply received', ['worker', 'after-reply keep']],
  ['result stored', ['worker', 'after-artifact keep']],
  ['before settle', ['notary', 'before-settle keep']],
  ['after settle, unanswered', ['notary', 'after-settle keep']],
  ['after settle', ['worker', 'after-settle keep']],
]
const everything: readonly Victim[] = ['temporal', 'bus', 'notary', 'worker', 'agent']
const alone: readonly (readonly Victim[])[] = [['agent'], ['worker'], ['notary']]
const deep = new Set(['after mint', 'after effect', 'before settle'])

const cells = stages.flatMap(([point, stage]) =>
  [...alone, ...(deep.has(point) ? [everything] : [])].map((kill) => ({
    title: `${kill.length === 1 ? kill.join('') : 'everything'}, ${point}`,
    stages: [stage],
    kill,
  })),
)

describe.each([
  { lane: 'off', fastLane: false },
  { lane: 'on', fastLane: true },
])('with the fast lane $lane', ({ lane, fastLane }) => {
  const rows: (readonly string[])[] = []
  let deployment: CrashDeployment
  let undisturbed: RunDocument

  beforeAll(async () => {
    deployment = await startCrashDeployment(fastLane)
    // The agents' first start; then proof that the gates do nothing by themselves.
    await deployment.run('crash-first', crashPlan('nothing', 'first'))
    undisturbed = await deployment.run('crash-none', crashPlan('nothing', 'none'))
    expect(undisturbed.status, JSON.stringify(undisturbed)).toBe('completed')
  })
  afterEach(() => {
    for (const gate of Object.values(deployment.gates)) gate.open()
  })
  afterAll(async () => {
    printTable(`${rows.length} cells, fast lane ${lane}`, crashHeads, rows)
    await deployment.stop()
  })

  it('takes it where nothing is killed, and only then', () => {
    const lanes = undisturbed.steps.map((step) => step.lane === 'fast')
    // What has an effect is never on it.
    expect(lanes).toEqual([fastLane, false, fastLane])
  })

  it.each(cells)('a run finishes by itself, with one entry: $title', async (cell) => {
    const seen = await performCell(deployment, cell)
    rows.push(toRow(cell.title, seen))
    const { document, entries, after, killed, title } = seen
    expect(document.status, JSON.stringify(document)).toBe('completed')
    for (const { outcome } of document.steps) expect(outcome).toMatch(/^(already-)?settled$/)
    expect(document.answer?.split(title)).toHaveLength(2)
    expect(entries).toBe(1)
    expect(after).toMatchObject({ ledger: 'DONE', notary: 'settled' })
    expect(document.audit.verified).toBe(true)
    expect(killed.map(({ victim }) => victim)).toEqual(cell.kill)
  })

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(cells.length + 2)
  })
})

it('has forty cells at least', () => {
  expect(cells.length).toBeGreaterThanOrEqual(40)
})
