// Steps that run once for each item of a list, with fakes: bounds, failures, decisions, undo.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import type { StepResult } from '../../workflows/contract.ts'
import { refuseResolve } from '../../workflows/decisions.ts'
import type { Order, Progress } from '../../workflows/run-plan.ts'
import { createFakeRun, type FakeRun, loop, runSteps, step } from './fake-ports.ts'

const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const
const unknown = { outcome: 'unknown', resultRef: null } as const
const slowly = async () => {
  await nextTurn()
  return {}
}
/** Does what the test says when the run is held, one act each time. */
const whenHeld = (fake: FakeRun, acts: readonly (() => void)[]): FakeRun => {
  const left = [...acts]
  const { onStatus } = fake.ports
  const ports: FakeRun['ports'] = {
    ...fake.ports,
    onStatus(...told) {
      onStatus(...told)
      if (told[0] === 'held') left.shift()?.()
    },
  }
  return { ...fake, ports }
}
const order = (fake: FakeRun, given: Order) => () => void fake.controls.orders.push(given)
const inChunk = (name: string) => Math.floor(Number(/:(\d+)/.exec(name)?.[1]) / 250)
const numbered = (id: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${id}:${from + index}`)

describe('a loop', () => {
  it('runs once for each item, and is one step to what builds on it', async () => {
    const fake = createFakeRun(slowly, { mail: 3 })
    const { outcome, summary } = await runSteps(
      [step('list'), loop('mail', { needs: ['list'] }), step('last', { needs: ['mail'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual([
      'list',
      'mail~expand',
      ...numbered('mail', 0, 3),
      'mail~gather',
      'last',
    ])
    expect(fake.inputs.at(1)).toMatchObject({
      iteration: 0,
      sources: [{ step: 'list', iteration: 0, ref: 'ref-list' }],
    })
    expect(fake.inputs.at(-1)?.sources).toEqual([{ step: 'mail', iteration: 0, ref: 'ref-mail' }])
    expect(summary('mail')).toMatchObject({
      outcome: 'settled',
      loop: { total: 3, outcomes: { settled: 3 }, failed: [] },
    })
    expect(summary('mail')?.loop).not.toHaveProperty('chunks')
  })

  it('over an empty list is over at once, with an empty result', async () => {
    const fake = createFakeRun(slowly, { mail: 0 })
    const { outcome, summary } = await runSteps(
      [loop('mail'), step('last', { needs: ['mail'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['mail~expand', 'mail~gather', 'last'])
    expect(summary('mail')).toMatchObject({ outcome: 'settled', loop: { total: 0 } })
  })

  it('ends with what the notary says of its list, where it cannot begin', async () => {
    const end: StepResult = { ...failing, code: 'LIMIT', attempts: 1, durationMs: 2 }
    const fake = createFakeRun(slowly, { mail: end })
    const { outcome, summary } = await runSteps(
      [step('a', { hasUndo: true }), loop('mail', { needs: ['a'] })],
      fake,
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'LIMIT' })
    expect(summary('mail')).toMatchObject({ outcome: 'failed', code: 'LIMIT' })
    expect(fake.log).toEqual(['a', 'mail~expand', 'a~undo'])
  })

  it('is cut into parts of at most 250, and has no more out than the limit', async () => {
    const fake = createFakeRun(slowly, { mail: 5_000 })
    const { outcome } = await runSteps([loop('mail')], fake)
    expect(outcome.status).toBe('completed')
    expect(fake.chunks).toHaveLength(20)
    expect(fake.peak()).toBe(limits.fanOut)
    expect(new Set(fake.log).size).toBe(5_002)
  })

  it('gives the slots of a part that is over to whatever waits for one', async () => {
    const fake = createFakeRun(
      async (name) => {
        const left = name === 'mail:0' ? 99 : name === 'before' ? 3 : 1
        for (let turn = 0; turn < left; turn += 1) await nextTurn()
        if (name === 'mail:0') expect(fake.log).toContain('single')
        return {}
      },
      { mail: 400 },
    )
    const steps = [step('before'), step('single', { needs: ['before'] })]
    const { outcome } = await runSteps([loop('mail'), ...steps], fake)
    expect(outcome.status).toBe('completed')
    expect(fake.log).toContain('single')
  })

  it('shows how far it is, and no more than its first failures', async () => {
    const seen: string[] = []
    let known: Progress = new Map()
    const fake = createFakeRun(
      async (name) => {
        seen.push(JSON.stringify(known.get('mail')))
        await nextTurn()
        return Number(name.split(':')[1]) % 2 === 0 ? failing : {}
      },
      { mail: 400 },
    )
    const { summary } = await runSteps(
      [loop('mail', { onError: 'continue' })],
      fake,
      (progress) => {
        known = progress
      },
    )
    // The workflows that know more of it are named as long as they are at work.
    expect(seen.at(-1)).toContain('"chunks":["mail~')
    expect(summary('mail')).toMatchObject({
      outcome: 'settled',
      loop: { total: 400, outcomes: { settled: 200, failed: 200 } },
    })
    const shown = summary('mail')?.loop?.failed.map(({ iteration }) => iteration)
    expect(shown).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    for (const text of seen) expect(text.length).toBeLessThan(2_000)
  })
})

describe('an iteration that fails', () => {
  const oneFails = (bad: string) => async (name: string) => {
    await nextTurn()
    return name === bad ? failing : {}
  }

  it('under abort lets nothing more begin, in its part or any other, and undoes what had', async () => {
    const fake = createFakeRun(oneFails('mail:2'), { mail: 1_000 })
    const { outcome, summary } = await runSteps(
      [step('a', { hasUndo: true }), loop('mail', { needs: ['a'], hasUndo: true })],
      fake,
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    const done = fake.log.filter((name) => /^mail:\d+$/.test(name))
    const undone = fake.log.filter((name) => /^mail:\d+~undo$/.test(name))
    expect(done.length).toBeLessThan(300)
    expect(new Set(undone)).toEqual(new Set(done.map((name) => `${name}~undo`)))
    expect(fake.log.at(-1)).toBe('a~undo')
    expect(summary('mail')).toMatchObject({
      outcome: 'failed',
      undo: 'settled',
      loop: { undos: { outcomes: { settled: done.length } } },
    })
  })

  it('under abort keeps what waits for slots from beginning, and chunks are undone in turn', async () => {
    const fake = createFakeRun(
      async (name) => {
        // The first chunk ends last: what counts is when each began.
        const left = name === 'mail:0' ? 60 : name === 'mail:750' ? 30 : 1
        for (let turn = 0; turn < left; turn += 1) await nextTurn()
        return name === 'mail:750' ? failing : {}
      },
      { mail: 5_000 },
    )
    const { outcome } = await runSteps([loop('mail', { hasUndo: true })], fake)
    expect(outcome.status).toBe('failed')
    const begun = fake.chunks.filter((name) => !name.endsWith('!'))
    expect(begun).toHaveLength(8)
    const first = (chunk: number) =>
      fake.log.findIndex((name) => name.endsWith('~undo') && inChunk(name) === chunk)
    const order = begun.map((_, chunk) => first(chunk))
    expect(order.toSorted((one, other) => other - one)).toEqual(order)
  })

  it('under continue is left out of the result, and the run completes', async () => {
    const fake = createFakeRun(oneFails('mail:2'), { mail: 60 })
    const { outcome, summary } = await runSteps([loop('mail', { onError: 'continue' })], fake)
    expect(outcome.status).toBe('completed')
    expect(summary('mail')).toMatchObject({
      outcome: 'settled',
      loop: { outcomes: { settled: 59, failed: 1 }, failed: [{ iteration: 2 }] },
    })
  })

  it('of unknown outcome turns the run around even under continue', async () => {
    const fake = createFakeRun(
      async (name) => (name === 'mail:2' ? { ...unknown, code: 'NO_REPLY' } : {}),
      { mail: 3 },
    )
    const { outcome, summary } = await runSteps([loop('mail', { onError: 'continue' })], fake)
    expect(outcome).toMatchObject({ status: 'failed', code: 'NO_REPLY' })
    expect(summary('mail')?.outcome).toBe('unknown')
  })

  it('under hold keeps nothing else of the loop from running, and runs again alone', async () => {
    const fake = createFakeRun(oneFails('mail:2'), { mail: 120 })
    const reruns = [{ step: 'mail', iteration: 2, rerun: 1 }]
    const { outcome, summary } = await runSteps(
      [loop('mail', { onError: 'hold' }), step('last', { needs: ['mail'] })],
      whenHeld(fake, [order(fake, { kind: 'retry', retry: { step: 'mail', reruns } })]),
    )
    expect(outcome.status).toBe('completed')
    const ran = fake.log.filter((name) => name.startsWith('mail:'))
    expect(ran).toHaveLength(121)
    expect(ran.at(-1)).toBe('mail:2~1')
    expect(fake.log.slice(-2)).toEqual(['mail~gather', 'last'])
    expect(fake.gathered).toEqual(['mail'])
    expect(fake.statuses).toEqual(['held', 'running'])
    expect(summary('mail')).toMatchObject({ outcome: 'settled', loop: { total: 120, failed: [] } })
  })

  it('under hold is undone with its reruns when a person gives up', async () => {
    const fake = createFakeRun(async (name) => (name.startsWith('mail:2') ? failing : {}), {
      mail: 3,
    })
    const reruns = [{ step: 'mail', iteration: 2, rerun: 1 }]
    await runSteps(
      [loop('mail', { onError: 'hold', hasUndo: true })],
      whenHeld(fake, [
        order(fake, { kind: 'retry', retry: { step: 'mail', reruns } }),
        order(fake, { kind: 'give-up' }),
      ]),
    )
    expect(fake.log.filter((name) => name.endsWith('~undo'))).toEqual([
      'mail:2~1~undo',
      'mail:2~undo',
      'mail:1~undo',
      'mail:0~undo',
    ])
  })

  it('of unknown outcome goes on when a person answers for it, without its result', async () => {
    const fake = createFakeRun(async (name) => (name === 'mail:1' ? unknown : {}), { mail: 3 })
    const answer = { step: 'mail', iteration: 1, happened: true }
    const { outcome, summary } = await runSteps(
      [loop('mail', { onError: 'hold' }), step('last', { needs: ['mail'] })],
      whenHeld(fake, [order(fake, { kind: 'resolve', answer })]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log.slice(-2)).toEqual(['mail~gather', 'last'])
    expect(fake.log.filter((name) => name.startsWith('mail:'))).toHaveLength(3)
    expect(summary('mail')).toMatchObject({ outcome: 'settled', loop: { failed: [] } })
  })

  it('of unknown outcome that did not happen waits to be run again', async () => {
    const fake = createFakeRun(async (name) => (name === 'mail:1' ? unknown : {}), { mail: 3 })
    const both = () => {
      const answer = { step: 'mail', iteration: 1, happened: false }
      const reruns = [{ step: 'mail', iteration: 1, rerun: 1 }]
      fake.controls.orders.push({ kind: 'resolve', answer })
      fake.controls.orders.push({ kind: 'retry', retry: { step: 'mail', reruns } })
    }
    const { outcome } = await runSteps([loop('mail', { onError: 'hold' })], whenHeld(fake, [both]))
    expect(outcome.status).toBe('completed')
    expect(fake.log.filter((name) => name.startsWith('mail:1'))).toEqual(['mail:1', 'mail:1~1'])
  })

  it('can be answered for only where it is unknown, and by its number', async () => {
    const fake = createFakeRun(async (name) => (name === 'mail:1' ? unknown : {}), { mail: 3 })
    const codes: unknown[] = []
    let progress: Parameters<typeof refuseResolve>[1]['progress'] = new Map()
    const ask = () => {
      for (const iteration of [undefined, 0, 1, 7]) {
        const answer = { step: 'mail', happened: true }
        try {
          refuseResolve(iteration === undefined ? answer : { ...answer, iteration }, {
            ...fake.controls,
            held: new Set(['mail']),
            progress,
          })
          codes.push('taken')
        } catch (error) {
          codes.push((error as { type?: string }).type)
        }
      }
      fake.controls.orders.push({ kind: 'give-up' })
    }
    const held = whenHeld(fake, [ask])
    const run = runSteps([loop('mail', { onError: 'hold' })], held, (known) => {
      progress = known
    })
    await run
    expect(codes).toEqual(['UNKNOWN_STEP', 'NOT_HELD', 'taken', 'UNKNOWN_STEP'])
  })

  it('of a list that is made anew does not count: the loop begins again', async () => {
    const fake = createFakeRun(async (name) => (['a', 'h'].includes(name) ? failing : {}), {
      mail: 2,
    })
    const again = [
      { step: 'a', rerun: 1 },
      { step: 'mail', rerun: 2 },
    ]
    const { outcome } = await runSteps(
      [
        step('a', { onError: 'continue' }),
        loop('mail', { needs: ['a'] }),
        step('h', { onError: 'hold' }),
      ],
      whenHeld(fake, [
        order(fake, { kind: 'retry', retry: { step: 'a', reruns: again } }),
        order(fake, { kind: 'retry', retry: { step: 'h', reruns: [{ step: 'h', rerun: 1 }] } }),
      ]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log.filter((name) => name.startsWith('mail'))).toEqual([
      'mail~expand',
      'mail:0',
      'mail:1',
      'mail~gather',
      'mail~expand',
      'mail:0~2',
      'mail:1~2',
      'mail~gather',
    ])
  })
})
