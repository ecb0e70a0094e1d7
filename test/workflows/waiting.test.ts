// Steps that wait for a time, or for any one of their needs, with fakes.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { RunOutcome } from '../../workflows/run-plan.ts'
import { createFakeRun, type FakeRun, runSteps, step } from './fake-ports.ts'

const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const
const skipped = { outcome: 'skipped', resultRef: null } as const
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await nextTurn()
}
/** Does what the test says each time that the run comes to wait for that. */
const whenever = (
  fake: FakeRun,
  status: 'held' | 'scheduled',
  act: (sources: RunOutcome['sources']) => void,
): FakeRun => {
  const { onStatus } = fake.ports
  const ports: FakeRun['ports'] = {
    ...fake.ports,
    onStatus(now, sources) {
      onStatus(now, sources)
      if (now === status) act(sources)
    },
  }
  return { ...fake, ports }
}

describe('a step with a time', () => {
  const late = { at: 10_000 }

  it('waits for it, and the run is scheduled with the answer to the rest meanwhile', async () => {
    const fake = createFakeRun(async () => ({}))
    const told: RunOutcome['sources'][] = []
    const { outcome, summary } = await runSteps(
      [
        step('early'),
        step('late', { ...late, needs: ['early'] }),
        step('after', { needs: ['late'] }),
        step('other'),
      ],
      whenever(fake, 'scheduled', (sources) => {
        told.push(sources)
        expect(fake.log).toEqual(['early', 'other'])
        fake.clock.now = 10_000
      }),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.sleepers).toEqual([10_000])
    expect(fake.log).toEqual(['early', 'other', 'late', 'after'])
    expect(told.map((sources) => sources.map((one) => one.step))).toEqual([['early', 'other']])
    expect(outcome.sources.map((one) => one.step)).toEqual(['early', 'late', 'after', 'other'])
    expect(summary('late')).toMatchObject({ at: 10_000, outcome: 'settled' })
    expect(fake.statuses).toEqual(['scheduled', 'running'])
  })

  it('that has passed already does not make it wait', async () => {
    const fake = createFakeRun(async () => ({}))
    fake.clock.now = 10_001
    const { outcome } = await runSteps([step('late', late)], fake)
    expect(outcome.status).toBe('completed')
    expect(fake.sleepers).toEqual([])
    expect(fake.statuses).toEqual([])
  })

  it('that comes before its needs are there makes it wait for them alone', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'slow') {
        fake.clock.now = 10_000
        await turns(5)
      }
      return {}
    })
    const { outcome } = await runSteps(
      [step('slow'), step('late', { ...late, needs: ['slow'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['slow', 'late'])
  })

  it('keeps the rest waiting for nothing, and is never begun in a run that aborts', async () => {
    const fake = createFakeRun(async (name) => {
      await turns(3)
      return name === 'bad' ? failing : {}
    })
    const { outcome, summary } = await runSteps(
      [step('done', { hasUndo: true }), step('late', late), step('bad', { needs: ['done'] })],
      fake,
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    expect(fake.log).toEqual(['done', 'bad', 'done~undo'])
    expect(summary('late')?.outcome).toBe('pending')
  })

  it('is not begun, and what was done is undone, when the run is cancelled before it', async () => {
    const fake = createFakeRun(async () => ({}))
    const { outcome } = await runSteps(
      [step('done', { hasUndo: true }), step('late', { ...late, needs: ['done'] })],
      whenever(fake, 'scheduled', () => fake.cancel()),
    )
    expect(outcome.status).toBe('cancelled')
    expect(fake.log).toEqual(['done', 'done~undo'])
  })

  it('goes on while another step is held, which is what a person is told', async () => {
    const fake = createFakeRun(async (name) => (name === 'stuck' ? failing : {}))
    const { outcome } = await runSteps(
      [step('stuck', { onError: 'hold' }), step('late', late)],
      whenever(fake, 'held', () => {
        if (fake.clock.now === 10_000) fake.controls.orders.push({ kind: 'give-up' })
        fake.clock.now = 10_000
      }),
    )
    expect(outcome.status).toBe('failed')
    expect(fake.log).toEqual(['stuck', 'late'])
    expect(fake.statuses).toEqual(['held', 'running', 'held', 'running'])
  })
})

describe('a step that joins any of its needs', () => {
  it('begins with the first that settles, without the results of the others', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'slow') await turns(20)
      return {}
    })
    const { outcome } = await runSteps(
      [step('slow'), step('quick'), step('any', { join: 'any', needs: ['slow', 'quick'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['slow', 'quick', 'any'])
    expect(fake.inputs.at(-1)?.sources).toEqual([
      { step: 'slow', iteration: 0, ref: null },
      { step: 'quick', iteration: 0, ref: 'ref-quick' },
    ])
  })

  it('is not begun by a need that was skipped or forgiven, and begins once', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'off') return skipped
      if (name === 'bad') return failing
      if (name === 'slow') await turns(10)
      if (name === 'slower') await turns(20)
      return {}
    })
    const needs = ['off', 'bad', 'slow', 'slower']
    const steps = needs.map((id) => step(id, { onError: 'continue' }))
    const { outcome } = await runSteps([...steps, step('any', { join: 'any', needs })], fake)
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual([...needs, 'any'])
    const refs = fake.inputs.at(-1)?.sources.map(({ ref }) => ref)
    expect(refs).toEqual([null, null, 'ref-slow', null])
  })

  it('is asked about once all have ended and none has settled', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'any') return { ...skipped, code: 'NO_NEED' }
      return name === 'off' ? skipped : failing
    })
    const { outcome, summary } = await runSteps(
      [
        step('off'),
        step('bad', { onError: 'continue' }),
        step('any', { join: 'any', needs: ['off', 'bad'] }),
      ],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(summary('any')).toMatchObject({ outcome: 'skipped', code: 'NO_NEED' })
  })

  it('runs again with a need that it had gone on without, when the notary says so', async () => {
    const fake = createFakeRun(async (name) => (name === 'stuck' ? failing : {}))
    const reruns = ['stuck', 'any', 'last'].map((id) => ({ step: id, rerun: 1 }))
    const { outcome } = await runSteps(
      [
        step('quick'),
        step('stuck', { onError: 'hold' }),
        step('any', { join: 'any', needs: ['stuck', 'quick'] }),
        step('last', { needs: ['any'] }),
      ],
      whenever(fake, 'held', () => {
        fake.controls.orders.push({ kind: 'retry', retry: { step: 'stuck', reruns } })
      }),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['quick', 'stuck', 'any', 'last', 'stuck~1', 'any~1', 'last~1'])
  })
})
