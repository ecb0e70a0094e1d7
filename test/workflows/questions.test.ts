// When a step that waits for a person is asked about again: at once when they have decided, when the
// question has expired, and now and then because a decision may not have been told of.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createQuestions,
  expirySlackMs,
  firstPauseMs,
  longestPauseMs,
  looksAtOnce,
  type Questions,
} from '../../workflows/questions.ts'

const minute = 60_000
const day = 24 * 60 * minute
const week = 7 * day
const question = (id: string, expiresAt = week) => ({ id, expiresAt })

describe('a question', () => {
  it('is asked about again at once when it is decided, and only then', () => {
    const questions = createQuestions()
    questions.wait('a', [question('one')], 0)
    questions.wait('b', [question('two')], 0)
    expect(questions.isDecided()).toBe(false)
    expect(questions.takeDue(1)).toEqual([])
    questions.decide(['two'])
    expect(questions.isDecided()).toBe(true)
    expect(questions.takeDue(1)).toEqual(['b'])
    expect(questions.isDecided()).toBe(false)
    expect(questions.isOpen()).toBe(true)
  })

  it('that was decided before the run heard of it does not wait, once', () => {
    const questions = createQuestions()
    questions.decide(['one'])
    questions.wait('a', [question('one')], 0)
    expect(questions.takeDue(1)).toEqual(['a'])
    questions.wait('a', [question('one')], 1)
    expect(questions.takeDue(2)).toEqual([])
  })

  it('is asked about again when it has expired, and not in a circle if it still stands then', () => {
    const questions = createQuestions()
    questions.wait('a', [question('one', 30_000)], 0)
    expect(questions.nextAt()).toBe(30_000 + expirySlackMs)
    expect(questions.takeDue(30_000)).toEqual([])
    expect(questions.takeDue(30_000 + expirySlackMs)).toEqual(['a'])
    questions.wait('a', [question('one', 30_000)], 33_000)
    expect(questions.nextAt()).toBeGreaterThanOrEqual(33_000 + firstPauseMs)
  })

  it('is looked at after a minute, then less and less often, at least every hour', () => {
    const looks = looksOf(['a'], 2 * day)
    const pauses = looks.map(({ at }, index) => at - (looks[index - 1]?.at ?? 0))
    expect(pauses.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60].map((count) => count * minute))
    expect(new Set(pauses.slice(6))).toEqual(new Set([longestPauseMs]))
  })

  it('of another step is looked at within a minute, however long the first has waited', () => {
    const questions = createQuestions()
    let now = 0
    questions.wait('a', [question('one')], now)
    while (now < day) now = lookOnce(questions, new Map([['a', 'one']]))
    questions.wait('b', [question('two')], now)
    expect(questions.nextAt()).toBe(now + firstPauseMs)
  })

  it('among a thousand costs few looks, none is forgotten, and all are asked about at the end', () => {
    const steps = Array.from({ length: 1_000 }, (_, index) => `s${index}`)
    const looks = looksOf(steps, week + 2 * minute)
    const before = looks.filter(({ at }) => at < week)
    expect(before.reduce((sum, { due }) => sum + due.length, 0)).toBeLessThan(1_500)
    expect(Math.max(...before.map(({ due }) => due.length))).toBe(looksAtOnce)
    expect(new Set(before.flatMap(({ due }) => due)).size).toBe(1_000)
    expect(new Set(looks.filter(({ at }) => at > week).flatMap(({ due }) => due)).size).toBe(1_000)
  })

  it('that is forgotten is not waited for, whatever is decided', () => {
    const questions = createQuestions()
    questions.wait('a', [question('one')], 0)
    questions.forget('a')
    questions.decide(['one'])
    expect(questions.isOpen()).toBe(false)
    expect(questions.nextAt()).toBeNull()
    expect(questions.takeDue(week)).toEqual([])
  })

  it('is never lost: what waits is either due by its next instant or decided', () => {
    const id = fc.constantFrom('one', 'two', 'three')
    const action = fc.oneof(
      fc.record({ wait: fc.constantFrom('a', 'b', 'c'), id, lifeMs: fc.nat(2 * day) }),
      fc.record({ decide: id }),
      fc.record({ pass: fc.nat(day) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const questions = createQuestions()
        const waiting = new Set<string>()
        let now = 0
        for (const one of actions) {
          if ('wait' in one) {
            questions.wait(one.wait, [question(one.id, now + one.lifeMs)], now)
            waiting.add(one.wait)
          } else if ('decide' in one) questions.decide([one.decide])
          else now += one.pass
          const nextAt = questions.nextAt()
          expect(nextAt === null).toBe(waiting.size === 0)
          const due = questions.takeDue(now)
          if (nextAt !== null && nextAt <= now) expect(due).not.toEqual([])
          for (const step of due) expect(waiting.delete(step)).toBe(true)
          expect(questions.isDecided()).toBe(false)
        }
      }),
    )
  })
})

/** Looks at the next instant, and asks again what is due then. */
function lookOnce(questions: Questions, asked: ReadonlyMap<string, string>): number {
  const now = questions.nextAt() ?? Number.POSITIVE_INFINITY
  for (const step of questions.takeDue(now)) {
    questions.wait(step, [question(asked.get(step) ?? '')], now)
  }
  return now
}

function looksOf(steps: readonly string[], untilMs: number) {
  const questions = createQuestions()
  for (const step of steps) questions.wait(step, [question(step)], 0)
  const looks: { readonly at: number; readonly due: readonly string[] }[] = []
  for (let at = questions.nextAt() ?? untilMs; at < untilMs; at = questions.nextAt() ?? untilMs) {
    const due = questions.takeDue(at)
    looks.push({ at, due })
    for (const step of due) questions.wait(step, [question(step)], at)
  }
  return looks
}
