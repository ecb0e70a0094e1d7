// Days and times as people name them: what is certain is a value, what may be two days is asked.

import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { type Direction, readDay } from '../../../planner/rules/days.ts'
import { readMoment, speaksOfTime } from '../../../planner/rules/moments.ts'
import { readDuration, readNumber } from '../../../planner/rules/numbers.ts'

const words = (text: string) => text.split(' ')
/** A Tuesday. */
const today = Temporal.PlainDate.from('2026-11-24')
const now = '2026-11-24T09:30'

describe('a day', () => {
  it.each<[string, string, Direction?]>([
    ['today', '2026-11-24'],
    ['tomorrow', '2026-11-25'],
    ['the day after tomorrow', '2026-11-26'],
    ['yesterday', '2026-11-23'],
    ['friday', '2026-11-27'],
    ['on friday', '2026-11-27'],
    ['this friday', '2026-11-27'],
    ['monday', '2026-11-30'],
    ['next monday', '2026-11-30'],
    ['friday', '2026-11-20', 'past'],
    ['last friday', '2026-11-20', 'past'],
    ['in 3 days', '2026-11-27'],
    ['in a week', '2026-12-01'],
    ['in two weeks', '2026-12-08'],
    ['2026-12-01', '2026-12-01'],
    ['the 3rd of december', '2026-12-03'],
    ['december 3rd', '2026-12-03'],
    ['3 december 2027', '2027-12-03'],
    ['24/12', '2026-12-24'],
    ['12/24', '2026-12-24'],
    ['24.12.', '2026-12-24'],
    ['12.12.', '2026-12-12'],
  ])('is one day: %s', (text, value, direction = 'coming') => {
    expect(readDay(words(text), today, direction)).toEqual({ is: 'value', value })
  })

  it.each<[string, readonly string[], Direction?]>([
    ['next friday', ['on 2026-11-27', 'on 2026-12-04']],
    ['tuesday', ['on 2026-11-24', 'on 2026-12-01']],
    ['tuesday', ['on 2026-11-24', 'on 2026-11-17'], 'past'],
    ['this monday', ['on 2026-11-23', 'on 2026-11-30']],
    ['last monday', ['on 2026-11-23', 'on 2026-11-16'], 'past'],
    ['5/6', ['on 2026-06-05', 'on 2026-05-06']],
    ['12 november', ['on 2026-11-12', 'on 2027-11-12']],
    ['31 november', []],
    ['2026-02-30', []],
    ['31/11', []],
  ])('is asked where it may be two, or none: %s', (text, options, direction = 'coming') => {
    expect(readDay(words(text), today, direction)).toMatchObject({ is: 'ask', options })
  })

  it.each([
    ...['', 'on', 'on tomorrow', 'may', 'second', 'the', 'friday tomorrow', 'next', 'next week'],
    ...[
      'weekend',
      'fri',
      'constructor',
      '__proto__',
      'in 0 days',
      'in 99999 days',
      '3rd',
      '0/0',
      'x',
    ],
  ])('is not: %j', (text) => {
    expect(readDay(words(text), today, 'coming')).toBeUndefined()
  })
})

describe('a moment', () => {
  it.each([
    ['tomorrow at 5pm', '2026-11-25T17:00'],
    ['at 5 pm tomorrow', '2026-11-25T17:00'],
    ['on friday at 17:30', '2026-11-27T17:30'],
    ['friday', '2026-11-27'],
    ['at noon', '2026-11-24T12:00'],
    ['18:30', '2026-11-24T18:30'],
    ["at 18 o'clock", '2026-11-24T18:00'],
    ['tomorrow at 12am', '2026-11-25T00:00'],
    ['tomorrow at 12pm', '2026-11-25T12:00'],
    ['tomorrow at 0:15', '2026-11-25T00:15'],
  ])('is one: %s', (text, value) => {
    expect(readMoment(words(text), now)).toEqual({ is: 'value', value })
  })

  it.each([
    ['at 5', ['at 05:00', 'at 17:00']],
    ['tomorrow at 12', ['on 2026-11-25 at 00:00', 'on 2026-11-25 at 12:00']],
    ['next friday at 17:00', ['on 2026-11-27 at 17:00', 'on 2026-12-04 at 17:00']],
    ['at 8:15', ['on 2026-11-25 at 08:15']],
    ['at 25:00', []],
    ['at 7:61', []],
    ['at 13pm', []],
  ])('is asked: %s', (text, options) => {
    expect(readMoment(words(text), now)).toMatchObject({ is: 'ask', options })
  })

  it.each(['5', 'midnight', 'tonight', 'friday and saturday', 'at', 'at at 5', 'half past six'])(
    'is none: %s',
    (text) => {
      expect(readMoment(words(text), now)).toBeUndefined()
    },
  )

  it.each(['buy milk every day', 'call at 5', 'go in an hour', 'go on the 3rd', "Friday's list"])(
    'is spoken of in: %s',
    (text) => {
      expect(speaksOfTime(text)).toBe(true)
    },
  )

  it.each(['buy sun cream', 'look at the roof', 'fix the sat nav', 'put salt in a jar'])(
    'is not spoken of in: %s',
    (text) => {
      expect(speaksOfTime(text)).toBe(false)
    },
  )
})

describe('a number and a stretch of time', () => {
  it.each([
    ['7', 7],
    ['twelve', 12],
    ['thirty', 30],
    ['7.5', undefined],
    ['-3', undefined],
    ['toString', undefined],
    ['seven eight', undefined],
  ])('reads %s', (text, value) => {
    expect(readNumber(words(text))).toBe(value)
  })

  it.each([
    ['10 minutes', 10],
    ['45min', 45],
    ['an hour', 60],
    ['half an hour', 30],
    ['an hour and a half', 90],
    ['two hours', 120],
    ['0 minutes', undefined],
    ['10', undefined],
    ['10 days', undefined],
  ])('reads %s', (text, value) => {
    expect(readDuration(words(text))).toBe(value)
  })
})
