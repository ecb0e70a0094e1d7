// The model of one effect (docs/model): its invariants hold, each of its guards is needed, and the
// real notary and agent go the way that it goes. Every simulation has a fixed seed.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Simulated, simulate, typecheck } from '../model/quint.ts'
import { type Difference, replay } from '../model/replay.ts'
import { deedNames, type ModelWorld, readTrace } from '../model/trace.ts'
import { printTable } from '../support/case-table.ts'

const model = readFileSync(join(import.meta.dirname, '../../docs/model/effects.qnt'), 'utf8')

/** What breaks when the guard alone is missing. */
const breaks = {
  'commit-before-mint': 'noTokenWithoutRow',
  'jti-once': 'tokenUsedOnce',
  reservation: 'oneEffectPerIdem',
  'boot-settles': 'oneEffectPerIdem',
  'alive-check': 'oneEffectPerIdem',
  'unknown-stays': 'unknownNotRetriedBlindly',
  'receipt-proven': 'reportedSuccessWasExecuted',
  'request-in-idem': 'reportedSuccessWasExecuted',
  'first-settlement-wins': 'settledNeverChanges',
  'lost-is-unknown': 'lostIsNotFailed',
  'undo-before-step': 'turnedRunIsUndone',
  'undo-waits': 'undoneStaysUndone',
  'undo-waits-unknown': 'undoneStaysUndone',
  'token-expiry': 'undoneStaysUndone',
  'resolve-before-rerun': 'unknownNotRetriedBlindly',
  'decision-waits': 'oneEffectPerStep',
  'absent-is-last': 'absentIsTrue',
  'boot-after-death': 'undoneStaysUndone',
  'undo-waits-handler': 'undoneStaysUndone',
} as const
const invariants = [...new Set(Object.values(breaks))]

const witnessOf = (guard: string, invariant: string) =>
  `world.off == "${guard}" and not(${invariant})`

describe('the model', () => {
  it('type checks', async () => {
    await expect(typecheck()).resolves.toBeUndefined()
  })

  it('breaks none of its invariants, whatever crashes, is lost, doubled or late', async () => {
    const options = { init: 'init', seed: '0x7', samples: 400, maxSteps: 40 }
    const { isViolated, output } = await simulate({ ...options, invariants })
    expect(isViolated, output).toBe(false)
  })

  it('has no guard and no invariant that is not in the table', () => {
    const found = (pattern: RegExp) => new Set([...model.matchAll(pattern)].map(([, name]) => name))
    expect(found(/w(?:orld)?\.has\("([a-z-]+)"\)/g)).toEqual(new Set(Object.keys(breaks)))
    const [, safe = ''] = /val safe = and \{([^}]*)\}/.exec(model) ?? []
    expect(new Set(safe.match(/\w+/g))).toEqual(new Set(invariants))
  })
})

/** Two simulators beside whatever else keeps the machine busy. */
const simulationLimitMs = 600_000

describe('the model without one guard', () => {
  const table = Object.entries(breaks)
  let simulated: readonly Simulated[] = []
  beforeAll(async () => {
    const witnesses = table.map(([guard, invariant]) => witnessOf(guard, invariant))
    const options = { seed: '0x1', samples: 1_500, maxSteps: 40, witnesses }
    simulated = await Promise.all([
      simulate({ ...options, init: 'initMutant' }),
      simulate({ ...options, init: 'initSlowMutant', samples: 1_200 }),
    ])
  }, simulationLimitMs)
  const timesOf = (witness: string) =>
    simulated.reduce((sum, { witnessed }) => sum + (witnessed.get(witness) ?? 0), 0)
  afterAll(() => {
    const rows = table.map(([guard, invariant]) => {
      return [guard, invariant, String(timesOf(witnessOf(guard, invariant)))]
    })
    printTable('Guards of the model', ['without', 'breaks', 'samples'], rows)
  })

  it.each(table)('%s breaks %s', (guard, invariant) => {
    expect(timesOf(witnessOf(guard, invariant))).toBeGreaterThan(0)
  })
})

describe('traces of the model, played on the real notary and agent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-model-'))
  let traces: readonly (readonly ModelWorld[])[] = []
  beforeAll(async () => {
    const options = { init: 'initReplayed', step: 'stepReplayed', seed: '0x2' }
    const output = join(folder, 'trace_{seq}.itf.json')
    await simulate({ ...options, samples: 100, maxSteps: 40, traces: output })
    traces = readdirSync(folder).map((name) => readTrace(join(folder, name)))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are at least fifty, and every action and answer occurs in them', () => {
    expect(traces.length).toBeGreaterThanOrEqual(50)
    const dids = traces.flat().map(({ did }) => did)
    const unseen = deedNames.filter((name) => !dids.some((did) => did.name === name))
    expect(unseen).toEqual([])
    const said = new Set(
      dids.map(({ name, answer, address }) => `${name} ${address.kind} ${answer}`),
    )
    expect([...said]).toEqual(expect.arrayContaining(answers))
  })

  it('end with the same outcomes, rows and effects after every single action', async () => {
    const differences: Difference[] = []
    for (const trace of traces) {
      const difference = await replay(trace)
      if (difference !== undefined) differences.push(difference)
    }
    expect(differences).toEqual([])
  })
})

/** What the traces must have come to, besides every action. */
const answers = [
  ...['deliver do STARTED', 'deliver do REFUSED', 'deliver do DONE', 'deliver do UNKNOWN'],
  ...['deliver do IN_PROGRESS', 'deliver undo STARTED', 'authorize undo ', 'act undo '],
  ...['record do DONE', 'record do FAILED', 'record do UNKNOWN', 'record undo DONE'],
  ...['report do settled', 'report do failed', 'report do unknown', 'report do denied'],
  ...['report undo settled', 'settleFailure do SETTLED', 'settleFailure do REFUSED'],
  ...['look do DONE', 'look do FAILED', 'look do UNKNOWN', 'settleReceipt do REFUSED'],
]
