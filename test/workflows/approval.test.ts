// Steps and loops that a person decides on first, with fakes: what goes on meanwhile, what wakes
// them, and what a run that ends does with those that still wait.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { StepResult, StepSummary } from '../../workflows/contract.ts'
import { firstPauseMs } from '../../workflows/questions.ts'
import type { Progress } from '../../workflows/run-plan.ts'
import {
  createFakeRun,
  type FakeLists,
  type FakeRun,
  loop,
  runSteps,
  type Script,
  step,
} from './fake-ports.ts'

const week = 7 * 24 * 3_600_000
const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const
const asks = (id: string, expiresAt = week): Partial<StepResult> => ({
  outcome: 'waiting',
  resultRef: null,
  approvals: [{ id, expiresAt }],
})

/** `decided`: names whose approval (`apr-<name>`) the notary knows; what is not named is not asked about. */
function asking(names: readonly string[], lists: FakeLists = {}, rest: Script = async () => ({})) {
  const decided = new Map<string, Partial<StepResult>>()
  const fake = createFakeRun(async (name, run) => {
    await nextTurn()
    if (!names.includes(name)) return await rest(name, run)
    return decided.get(name) ?? asks(`apr-${name}`)
  }, lists)
  const decide = (name: string, outcome: Partial<StepResult> = {}) => {
    decided.set(name, outcome)
    fake.controls.questions.decide([`apr-${name}`])
  }
  return { fake, decided, decide }
}

/** Does the next of these each time that the run says that it waits to be approved. */
function whenAsked(fake: FakeRun, acts: readonly (() => void)[]): FakeRun {
  const left = [...acts]
  const { onStatus } = fake.ports
  const ports: FakeRun['ports'] = {
    ...fake.ports,
    onStatus(now, sources) {
      onStatus(now, sources)
      if (now === 'waiting-approval') left.shift()?.()
    },
  }
  return { ...fake, ports }
}

describe('a step that a person decides on', () => {
  it('keeps nothing at work while the others go on, and runs when it is approved', async () => {
    const { fake, decide } = asking(['a'])
    const act = () => {
      expect(fake.log).toEqual(['a', 'c', 'd'])
      decide('a')
    }
    const { outcome, summary } = await runSteps(
      [step('a'), step('b', { needs: ['a'] }), step('c'), step('d', { needs: ['c'] })],
      whenAsked(fake, [act]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['a', 'c', 'd', 'a', 'b'])
    expect(fake.statuses).toEqual(['waiting-approval', 'running'])
    expect(summary('a')).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(summary('a')).not.toHaveProperty('approvals')
  })

  it('says what it waits for', async () => {
    const { fake, decide } = asking(['a'])
    let kept: Progress = new Map()
    let summary: StepSummary | undefined
    const act = () => {
      summary = kept.get('a')
      decide('a')
    }
    await runSteps([step('a')], whenAsked(fake, [act]), (progress) => {
      kept = progress
    })
    const approvals = [{ id: 'apr-a', expiresAt: week }]
    expect(summary).toMatchObject({ outcome: 'waiting', approvals })
  })

  it('is dispatched again as the same effect', async () => {
    const { fake, decide } = asking(['a'])
    await runSteps([step('a')], whenAsked(fake, [() => decide('a')]))
    const [first, second] = fake.inputs
    expect(second).toEqual(first)
    expect(second).not.toHaveProperty('rerun')
  })

  it('is undone once, as the newest, when it ran at last', async () => {
    const { fake, decide } = asking(['a'], {}, async (name) => (name === 'bad' ? failing : {}))
    await runSteps(
      [
        step('a', { hasUndo: true }),
        step('b', { hasUndo: true }),
        step('bad', { needs: ['a', 'b'] }),
      ],
      whenAsked(fake, [() => decide('a')]),
    )
    expect(fake.log).toEqual(['a', 'b', 'a', 'bad', 'a~undo', 'b~undo'])
  })

  it('is not undone where it never ran', async () => {
    const { fake } = asking(['a'])
    const { outcome, summary } = await runSteps(
      [step('a', { hasUndo: true }), step('b', { hasUndo: true })],
      whenAsked(fake, [() => fake.cancel()]),
    )
    expect(outcome.status).toBe('cancelled')
    expect(fake.log).toEqual(['a', 'b', 'b~undo'])
    expect(summary('a')).toMatchObject({ outcome: 'pending' })
    expect(summary('a')).not.toHaveProperty('approvals')
  })

  it('that is denied ends as its onError says', async () => {
    const denied = { outcome: 'denied', code: 'APPROVAL_DENIED', resultRef: null } as const
    const steps = (onError: 'abort' | 'continue' | 'hold') => [
      step('done', { hasUndo: true }),
      step('a', { onError }),
      step('b', { needs: ['a', 'done'] }),
    ]
    const logs = { abort: ['done', 'a', 'a', 'done~undo'], continue: ['done', 'a', 'a', 'b'] }
    for (const onError of ['abort', 'continue'] as const) {
      const { fake, decide } = asking(['a'])
      const { outcome } = await runSteps(
        steps(onError),
        whenAsked(fake, [() => decide('a', denied)]),
      )
      expect(outcome.status).toBe(onError === 'abort' ? 'denied' : 'completed')
      expect(fake.log).toEqual(logs[onError])
    }
    const { fake, decide } = asking(['a'])
    const run = whenAsked(fake, [() => decide('a', denied)])
    const { onStatus } = run.ports
    run.ports.onStatus = (now, sources) => {
      onStatus(now, sources)
      if (now === 'held') fake.controls.orders.push({ kind: 'give-up' })
    }
    const { outcome } = await runSteps(steps('hold'), run)
    expect(outcome).toMatchObject({ status: 'denied', code: 'APPROVAL_DENIED' })
    expect(fake.statuses).toEqual(['waiting-approval', 'running', 'held', 'running'])
  })

  it('is asked about again by itself, in case that nobody told of the decision', async () => {
    const { fake, decided } = asking(['a'])
    const { outcome } = await runSteps(
      [step('a')],
      whenAsked(fake, [
        () => {
          fake.clock.now = firstPauseMs
        },
        () => {
          decided.set('a', {})
          fake.clock.now = 3 * firstPauseMs
        },
      ]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.sleepers).toEqual([firstPauseMs, 3 * firstPauseMs])
    expect(fake.log).toEqual(['a', 'a', 'a'])
  })

  it('does not wait where the decision came before the run heard of the question', async () => {
    let times = 0
    const run = createFakeRun(async () => {
      times += 1
      return times === 1 ? asks('apr-a') : {}
    })
    run.controls.questions.decide(['apr-a'])
    const { outcome } = await runSteps([step('a')], run)
    expect(outcome.status).toBe('completed')
    expect(run.log).toEqual(['a', 'a'])
  })

  it('waits beside one that is held, which is what a person is told', async () => {
    const { fake, decide } = asking(['a'], {}, async (name) => (name === 'stuck' ? failing : {}))
    const run = { ...fake, ports: { ...fake.ports } }
    let held = 0
    run.ports.onStatus = (now, sources) => {
      fake.ports.onStatus(now, sources)
      if (now !== 'held') return
      held += 1
      if (held === 1) decide('a')
      else fake.controls.orders.push({ kind: 'give-up' })
    }
    await runSteps([step('a'), step('stuck', { onError: 'hold' })], run)
    expect(fake.log).toEqual(['a', 'stuck', 'a'])
    expect(fake.statuses).toEqual(['held', 'running', 'held', 'running'])
  })

  it('is begun anew with what its producer comes to, when that is run again', async () => {
    const { fake, decide } = asking(['b', 'b~1'], {}, async (name) =>
      name === 'a' || name === 'h' ? failing : {},
    )
    const run = { ...fake, ports: { ...fake.ports } }
    const reruns = [{ step: 'a', rerun: 1 }]
    const acts = [
      () => fake.controls.orders.push({ kind: 'retry', retry: { step: 'a', reruns } }),
      () => decide('b'),
      () => fake.controls.orders.push({ kind: 'give-up' }),
    ]
    run.ports.onStatus = (now, sources) => {
      fake.ports.onStatus(now, sources)
      if (now === 'held') acts.shift()?.()
    }
    await runSteps(
      [
        step('a', { onError: 'continue' }),
        step('b', { needs: ['a'] }),
        step('h', { onError: 'hold' }),
      ],
      run,
    )
    expect(fake.log).toEqual(['a', 'h', 'b', 'a~1', 'b', 'b'])
  })

  it('that waits for a time is asked about when it has come', async () => {
    const { fake, decide } = asking(['late'])
    const run = whenAsked(fake, [() => decide('late')])
    const { onStatus } = run.ports
    run.ports.onStatus = (now, sources) => {
      onStatus(now, sources)
      if (now === 'scheduled') fake.clock.now = 10_000
    }
    const { outcome } = await runSteps([step('now'), step('late', { at: 10_000 })], run)
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['now', 'late', 'late'])
    expect(fake.statuses).toEqual(['scheduled', 'waiting-approval', 'scheduled', 'running'])
  })

  it('does not keep a step that joins any of its needs', async () => {
    const { fake, decide } = asking(['a'])
    await runSteps(
      [step('a'), step('b'), step('either', { join: 'any', needs: ['a', 'b'] })],
      whenAsked(fake, [() => decide('a')]),
    )
    expect(fake.log).toEqual(['a', 'b', 'either', 'a'])
  })

  it('does not wait in a run that turned around meanwhile', async () => {
    const { fake } = asking(['a'], {}, async (name) => {
      for (let turn = 0; turn < 5; turn += 1) await nextTurn()
      return name === 'bad' ? failing : {}
    })
    const { outcome } = await runSteps([step('a'), step('bad')], fake)
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    expect(fake.log).toEqual(['a', 'bad'])
  })
})

describe('a loop that a person decides on', () => {
  it('as a list waits before it has an iteration', async () => {
    const lists: Record<string, number | StepResult> = {
      mail: { outcome: 'waiting', resultRef: null, attempts: 1, durationMs: 0, approvals: [] },
    }
    const fake = createFakeRun(async () => ({}), lists)
    const act = () => {
      expect(fake.chunks).toEqual([])
      lists['mail'] = 2
      fake.clock.now = firstPauseMs
    }
    const { outcome } = await runSteps([loop('mail')], whenAsked(fake, [act]))
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['mail~expand', 'mail~expand', 'mail:0', 'mail:1', 'mail~gather'])
  })

  it('runs the iterations that need no answer, and the others when they have one', async () => {
    const { fake, decide, decided } = asking(['mail:1', 'mail:3'], { mail: 4 })
    const { outcome, summary } = await runSteps(
      [loop('mail', { hasUndo: true }), step('bad', { needs: ['mail'] })],
      whenAsked(fake, [
        () => {
          decided.set('mail:3', {})
          decide('mail:1')
        },
      ]),
    )
    expect(outcome.status).toBe('completed')
    const ran = fake.log.filter((name) => name.startsWith('mail:'))
    expect(ran).toEqual(['mail:0', 'mail:1', 'mail:2', 'mail:3', 'mail:1', 'mail:3'])
    expect(summary('mail')?.loop).toMatchObject({ total: 4, outcomes: { settled: 4 } })
  })

  it('undoes what ran, and nothing of what still waits', async () => {
    const { fake } = asking(['mail:1'], { mail: 3 })
    const { outcome } = await runSteps(
      [loop('mail', { hasUndo: true })],
      whenAsked(fake, [() => fake.cancel()]),
    )
    expect(outcome.status).toBe('cancelled')
    const undone = fake.log.filter((name) => name.endsWith('undo'))
    expect(undone).toEqual(['mail:2~undo', 'mail:0~undo'])
  })

  it('does not wait for iterations where another aborts the run', async () => {
    const { fake } = asking(['mail:0'], { mail: 3 }, async (name) =>
      name === 'mail:2' ? failing : {},
    )
    const { outcome } = await runSteps([loop('mail')], fake)
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    expect(fake.log.filter((name) => name === 'mail:0')).toHaveLength(1)
  })
})
