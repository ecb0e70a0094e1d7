// What is executed inside a workflow task, and that the order and grouping of results decide nothing.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StepInput } from '../../workflows/contract.ts'
import { createFastLane } from '../../workflows/fast-lane.ts'
import { scriptedStep } from '../support/scripted-activities.ts'

const input: StepInput = {
  ...{ planRef: 'p', digest: 'd', requestId: 'r', step: 'one', iteration: 0, kind: 'do' },
  ...{ sources: [], attempts: 2 },
}
const fast = scriptedStep('one', { lane: 'fast' })

const clock = { task: 1, now: 0 }
const createLane = () => createFastLane({ task: () => clock.task, now: () => clock.now })

interface Pending {
  readonly work: () => Promise<string>
  end(): void
}

function pending(name: string, fails = false): Pending {
  let settle: () => void = () => undefined
  const promise = new Promise<string>((resolve, reject) => {
    settle = () => (fails ? reject(new Error(name)) : resolve(name))
  })
  return { work: () => promise, end: () => settle() }
}
/** Lets everything run that waits for nothing but its turn. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

describe('the fast lane', () => {
  it('takes the first attempt of a step that its plan lets take it', () => {
    const lane = createLane()
    expect(lane.admits(fast, input)).toBe(true)
    expect(lane.admits(scriptedStep('one'), input)).toBe(false)
    expect(lane.admits(fast, { ...input, kind: 'undo' })).toBe(false)
    expect(lane.admits(fast, { ...input, rerun: 1 })).toBe(false)
    expect(lane.admits(fast, { ...input, drain: true })).toBe(false)
  })

  it('takes nothing while a regular step is out', async () => {
    const lane = createLane()
    const long = pending('long', true)
    const running = lane.regular(long.work)
    expect(lane.admits(fast, input)).toBe(false)
    long.end()
    await expect(running).rejects.toThrow('long')
    expect(lane.admits(fast, input)).toBe(true)
  })

  it('begins nothing late in a workflow task, and begins again in the next', () => {
    const lane = createLane()
    Object.assign(clock, { task: 5, now: 1_000 })
    expect(lane.admits(fast, input)).toBe(true)
    clock.now += 1_500
    expect(lane.admits(fast, input)).toBe(false)
    clock.task = 9
    expect(lane.admits(fast, input)).toBe(true)
    Object.assign(clock, { task: 1, now: 0 })
  })

  it('hands results on together, in the order in which they went out, however they arrive', async () => {
    const ends = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(ends, fc.nat(), async (fails, seed) => {
        const lane = createLane()
        const seen: string[] = []
        const works = fails.map((fail, at) => pending(String(at), fail))
        for (const { work } of works) {
          lane.local(work).then(
            (name) => seen.push(name),
            (error: Error) => seen.push(`-${error.message}`),
          )
        }
        const order = works.map((work, at) => ({ work, key: (at * 7 + seed) % 11 }))
        order.sort((one, other) => one.key - other.key)
        for (const [at, { work }] of order.entries()) {
          expect(seen).toEqual([])
          work.end()
          // Now one at a time, now together with the next.
          if ((seed + at) % 2 === 0) await turns()
        }
        await turns()
        expect(seen).toEqual(fails.map((fail, at) => `${fail ? '-' : ''}${at}`))
      }),
    )
  })

  it('begins a new wave with what one has led to', async () => {
    const lane = createLane()
    const [first, second] = [pending('first'), pending('second')]
    const chain = lane.local(first.work).then(() => lane.local(second.work))
    first.end()
    await turns()
    second.end()
    await expect(chain).resolves.toBe('second')
  })
})
