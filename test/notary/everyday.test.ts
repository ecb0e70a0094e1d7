// What a person is asked on an ordinary day, counted by the questions that a real notary opened while real
// runs went to their end under the default policy. One that is asked too often reads nothing any more.

import { afterEach, describe, expect, it } from 'vitest'
import { catalogue as real } from '../../agents/catalogue.ts'
import { findRecipe } from '../../planner/recipes.ts'
import {
  billReminder,
  dim,
  mailBob,
  moveAll,
  moveAlone,
  moveWithBob,
  pulseAlarm,
  tellBob,
  weeklyNumbers,
} from '../support/everyday-recipes.ts'
import { beginDay, type Day, type DayOptions } from '../support/everyday-world.ts'

let day: Day
const begin = async (options: DayOptions = {}) => {
  day = await beginDay(options)
}
afterEach(() => day.close())

const completed = { status: 'completed' }

describe('a person is asked', () => {
  it('nothing for the morning briefing', async () => {
    await begin({ catalogue: real, word: () => '2027-02-01', items: 0 })
    const source = findRecipe('morning-briefing')?.source ?? ''
    expect(await day.ask(source)).toMatchObject(completed)
    expect(await day.asked()).toEqual([])
  })

  it('nothing for dimming the living room at ten', async () => {
    await begin()
    expect(await day.ask(dim)).toEqual({ ...completed, done: ['lights.set'] })
    expect(await day.asked()).toEqual([])
  })

  it('once for moving the three o’clock with Bob, with what will be sent', async () => {
    await begin()
    expect(await day.ask(moveWithBob)).toEqual({ ...completed, done: ['diary.reschedule'] })
    expect(await day.asked()).toEqual(['move'])
  })

  it('nothing for moving what has no guests', async () => {
    await begin()
    expect(await day.ask(moveAlone)).toEqual({ ...completed, done: ['diary.move'] })
    expect(await day.asked()).toEqual([])
  })

  describe('by the recipe of the real calendar', () => {
    const found = (guests: number) => ({
      ...{ timeZone: 'Europe/Vienna', found: 'one', guests, count: 1, candidates: [], nearest: [] },
      event: {
        ...{ uid: 'x', recurrenceId: null, calendar: 'work', summary: 'Talk', allDay: false },
        ...{ start: '2027-02-02T15:00:00+01:00', end: '2027-02-02T16:00:00+01:00' },
        ...{ startLocal: '15:00', endLocal: '16:00', timeZone: 'Europe/Vienna', location: null },
        etag: 'e'.repeat(43),
      },
      asked: { at: '2027-02-02T15:00', with: '"bob"' },
    })
    const none = { ...found(0), found: 'none', event: null, count: 0 }
    it.each([
      [
        'once, where the server may tell guests',
        found(2),
        ['calendar.reschedule'],
        ['rescheduled'],
      ],
      ['nothing, where nobody is told', found(0), ['calendar.update'], []],
      ['nothing, where nothing is found and so nothing moved', none, [], []],
    ])('%s', async (_, answer, done, asked) => {
      await begin({ catalogue: real, answers: { 'calendar.find': answer } })
      const inputs = { at: '2027-02-02T15:00', with: 'bob', to: '2027-02-05T15:00' }
      const ended = await day.ask(findRecipe('move-event')?.source ?? '', inputs)
      expect(ended).toEqual({ ...completed, done })
      expect(await day.asked()).toEqual(asked)
    })
  })

  it('once, at its set-up, for weekly numbers mailed to oneself', async () => {
    await begin()
    await day.enable(weeklyNumbers)
    expect(await day.asked()).toEqual(['weekly-numbers'])
    for (let firing = 0; firing < 3; firing += 1) {
      expect(await day.fire(weeklyNumbers)).toEqual({ ...completed, done: ['mail.send'] })
    }
    expect(await day.asked()).toEqual(['weekly-numbers'])
  })

  it('each time for numbers that are mailed when they are asked for', async () => {
    await begin()
    await day.ask(weeklyNumbers)
    await day.ask(weeklyNumbers)
    expect(await day.asked()).toEqual(['send', 'send'])
  })

  it.each([
    ['a bill reminder', billReminder, 'bill-reminder'],
    ['an unusual pulse, pushed to the phone', pulseAlarm, 'pulse-alarm'],
  ])('once for %s, when it is enabled', async (_, source, name) => {
    await begin()
    await day.enable(source)
    expect(await day.asked()).toEqual([name])
    for (let firing = 0; firing < 3; firing += 1) {
      expect(await day.fire(source)).toEqual({ ...completed, done: ['phone.push'] })
    }
    expect(await day.asked()).toEqual([name])
  })

  it('once for telling Bob of the rain, and nothing where it does not rain', async () => {
    await begin()
    // One of the two is not what the sky says.
    const both = [await day.ask(tellBob('rain')), await day.ask(tellBob('!rain'))]
    expect(both.map(({ status }) => status)).toEqual(['completed', 'completed'])
    expect(both.flatMap(({ done }) => done)).toEqual(['mail.send'])
    expect(await day.asked()).toEqual(['tell'])
  })

  it('once for moving all that the calendar lists, before anything of it is moved', async () => {
    await begin({ items: 3 })
    expect(await day.ask(moveAll)).toEqual({
      ...completed,
      done: ['diary.move', 'diary.move', 'diary.move', 'lights.set'],
    })
    expect(await day.asked()).toEqual(['move'])
  })

  it('once for mailing Bob the address', async () => {
    await begin()
    const inputs = { to: 'bob@example.org' }
    expect(await day.ask(mailBob, inputs)).toEqual({ ...completed, done: ['mail.send'] })
    expect(await day.asked()).toEqual(['the plan'])
  })
})
