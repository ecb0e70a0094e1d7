// What a person is asked on an ordinary day, on a whole deployment: every plan goes through the real
// command, notary, worker and servers to agents in sandboxes. The same table in memory, with what changes
// it, is test/notary/everyday.test.ts.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type House, startHouse } from '../support/everyday-house.ts'
import {
  billReminder,
  dim,
  mailBob,
  moveAlone,
  moveWithBob,
  pulseAlarm,
  weeklyNumbers,
} from '../support/everyday-recipes.ts'

let house: House
let before: readonly string[] = []
beforeAll(async () => {
  house = await startHouse()
}, 240_000)
afterAll(() => house.stop())

/** Since the last time that this was asked. */
async function askedSince(): Promise<readonly string[]> {
  const all = await house.asked()
  const since = all.slice(before.length)
  before = all
  return since
}

const completed = { status: 'completed' }

describe('a person is asked', () => {
  it('nothing for dimming the living room at ten', async () => {
    // Until then it is hours, so it is not waited for.
    expect(await house.ask(dim)).toEqual({ status: 'scheduled', done: [] })
    expect(await house.cancel()).toEqual({ status: 'cancelled', done: [] })
    expect(await askedSince()).toEqual([])
  })

  it('once for moving the three o’clock with Bob, and nothing where nobody else is invited', async () => {
    expect(await house.ask(moveWithBob)).toEqual({ ...completed, done: ['diary.reschedule'] })
    expect(await askedSince()).toEqual(['move'])
    expect(await house.ask(moveAlone)).toEqual({ ...completed, done: ['diary.move'] })
    expect(await askedSince()).toEqual([])
  })

  it.each([
    ['weekly numbers mailed to oneself', weeklyNumbers, 'weekly-numbers', 'mail.send'],
    ['a bill reminder', billReminder, 'bill-reminder', 'phone.push'],
    ['an unusual pulse, pushed to the phone', pulseAlarm, 'pulse-alarm', 'phone.push'],
  ])('once for %s, when it is enabled', async (_, source, name, action) => {
    await house.enable(source)
    expect(await askedSince()).toEqual([name])
    for (let firing = 0; firing < 2; firing += 1) {
      expect(await house.fire(source)).toEqual({ ...completed, done: [action] })
    }
    expect(await askedSince()).toEqual([])
  })

  it('once for mailing Bob the address', async () => {
    const inputs = { to: 'bob@example.org' }
    expect(await house.ask(mailBob, inputs)).toEqual({ ...completed, done: ['mail.send'] })
    expect(await askedSince()).toEqual(['the plan'])
  })
})
