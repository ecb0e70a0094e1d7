// Loops in a run that turns around, with fakes: nothing more begins, and what was begun is undone.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { createFakeRun, type FakeRun, loop, runSteps, step } from './fake-ports.ts'

const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const

describe('a loop in a run that is stopped', () => {
  it('begins nothing more when another step aborts the run', async () => {
    const fake: FakeRun = createFakeRun(
      async (name) => {
        for (let turn = 0; turn < (name === 'bad' ? 40 : 3); turn += 1) await nextTurn()
        return name === 'bad' ? failing : {}
      },
      { mail: 2_000 },
    )
    const { outcome, summary } = await runSteps(
      [loop('mail', { hasUndo: true }), step('bad')],
      fake,
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    const done = fake.log.filter((name) => /^mail:\d+$/.test(name))
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(2_000)
    expect(fake.log.filter((name) => /^mail:.*undo$/.test(name))).toHaveLength(done.length)
    expect(summary('mail')).toMatchObject({ outcome: 'denied', code: 'RUN_ABORTING' })
  })

  it('does not even have its list counted, where it waited for its turn', async () => {
    const others = Array.from({ length: limits.fanOut }, (_, index) => step(`s${index}`))
    const fake = createFakeRun(
      async (name) => {
        for (let turn = 0; turn < (name === 's0' ? 1 : 9); turn += 1) await nextTurn()
        return name === 's0' ? failing : {}
      },
      { mail: 3 },
    )
    const { outcome, summary } = await runSteps([...others, loop('mail')], fake)
    expect(outcome.status).toBe('failed')
    expect(fake.log).toHaveLength(limits.fanOut)
    expect(summary('mail')).toMatchObject({ outcome: 'denied', code: 'RUN_ABORTING' })
  })

  it('drains and undoes when the run is cancelled', async () => {
    const fake: FakeRun = createFakeRun(
      async (name, run) => {
        await nextTurn()
        if (name === 'mail:30') run.cancel()
        return {}
      },
      { mail: 500 },
    )
    const { outcome } = await runSteps([loop('mail', { hasUndo: true })], fake)
    expect(outcome.status).toBe('cancelled')
    const done = fake.log.filter((name) => /^mail:\d+$/.test(name))
    expect(done.length).toBeLessThan(500)
    expect(fake.log.filter((name) => /^mail:.*undo$/.test(name))).toHaveLength(done.length)
    expect(fake.log).not.toContain('mail~gather')
  })
})
