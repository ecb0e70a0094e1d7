// What is awkward in a month of data, one case after the other: the sample home has it, and the answer of
// the agent that meets it is right. The month is over the night in which clocks went back.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateHome } from '../../examples/home/generate.ts'
import { type HealthYears, missingNight, stepsOn, unlikeDay } from '../../examples/home/health.ts'
import { type AskHome, askHome } from '../support/home-agents.ts'
import { daysLater, screenMinutes, spentIn } from '../support/home-facts.ts'
import { type Installed, installed, installTimeoutMs } from '../support/installed.ts'
import { startWebHome, type WebHome } from '../support/web-home.ts'

const [today, timeZone, seed] = ['2026-11-08', 'Europe/Vienna', 1]
const now = Date.parse(`${today}T09:00:00Z`)
const back = (days: number) => daysLater(today, -days)
const clocksBack = '2026-10-25'
const walks: HealthYears = { from: back(42), to: today, timeZone, seed, pulseMinutes: 10 }

const hledger = await installed('hledger')
const restic = await installed('restic')
const commandOf = (real: typeof hledger) => ('missing' in real ? undefined : real.command)

let folder: string
let web: WebHome
let ask: AskHome
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-awkward-'))
  web = await startWebHome(() => now)
  const found = { hledger: commandOf(hledger), restic: commandOf(restic) }
  const home = { folder, today, timeZone, seed, web: web.server.origin }
  await generateHome({ ...home, programs: found })
  const real = Object.entries({ hledger, restic }).flatMap(([name, one]) =>
    'missing' in one ? [] : [[name, one] as const],
  )
  const programs: Readonly<Record<string, Installed>> = Object.fromEntries(real)
  ask = askHome({ folder, now, web, programs })
  await ask('health', 'import', { file: 'export.xml' })
}, installTimeoutMs)
afterAll(async () => {
  await web?.server.close()
  await rm(folder, { recursive: true, force: true })
})

interface Case {
  /** What is awkward. */
  readonly what: string
  readonly answer: () => Promise<unknown>
  readonly expected: unknown
  readonly needs?: typeof hledger
}

interface Event {
  readonly summary: string
  readonly start: string
  readonly end: string
  readonly startLocal: string
  readonly allDay: boolean
}
const events = async (args: object): Promise<readonly Event[]> => {
  const { events: found } = (await ask('calendar', 'list', { limit: 500, ...args })) as unknown as {
    events: readonly Event[]
  }
  return found
}
const named = async (title: string, args: object) =>
  (await events(args)).filter(({ summary }) => summary.startsWith(title))
const contain = (value: object) => expect.objectContaining(value)

const times: readonly Case[] = [
  {
    what: 'a series over the night in which clocks go back stays at its time of day',
    answer: async () =>
      (await named('Walk the dog', { day: '2026-10-24', days: 3 })).map(({ start }) => start),
    expected: [
      '2026-10-24T18:30:00+02:00',
      '2026-10-25T18:30:00+01:00',
      '2026-10-26T18:30:00+01:00',
    ],
  },
  {
    what: 'an event through the night in which clocks go forward is an hour shorter',
    answer: () =>
      ask('calendar', 'search', { query: 'clock change', from: '2027-03-01', to: '2027-04-15' }),
    expected: contain({
      events: [contain({ start: '2027-03-27T22:00:00+01:00', end: '2027-03-28T09:00:00+02:00' })],
    }),
  },
  {
    what: 'a floating event is at its time of day wherever one is',
    answer: async () => {
      const day = { day: daysLater(back(7), 16) }
      const there = await named('Breakfast', { ...day, timeZone: 'America/New_York' })
      return [...(await named('Breakfast', day)), ...there].map(({ start }) => start.slice(10))
    },
    expected: ['T08:00:00+01:00', 'T08:00:00-05:00'],
  },
  {
    what: 'an event of three whole days is on these days and on no other, in any zone',
    answer: () =>
      Promise.all(
        ['Europe/Vienna', 'Pacific/Auckland', 'America/New_York'].map(async (zone) => {
          const days = [12, 13, 14, 15, 16].map((n) => daysLater(back(7), n))
          const found = await Promise.all(
            days.map((day) => named('Grandparents', { day, timeZone: zone })),
          )
          return found.map((on) => on.filter(({ allDay }) => allDay).length)
        }),
      ),
    expected: Array(3).fill([0, 1, 1, 1, 0]),
  },
  {
    what: 'a day of 25 hours has 25, and the steps of each of them',
    answer: () => ask('health', 'summary', { date: clocksBack }),
    expected: contain({
      steps: stepsOn(walks, clocksBack),
      coverage: contain({ of: 25 }),
    }),
  },
  {
    what: 'a reminder that is late, one that floats, one without a time, and none that is done',
    answer: async () => {
      const { reminders } = (await ask('reminders', 'list', { limit: 50 })) as unknown as {
        reminders: readonly { title: string; dueLocal: string | null; overdue: boolean }[]
      }
      const of = (title: string) => reminders.find((one) => one.title === title)
      return [
        'Answer the school about the trip',
        'Take the tablets',
        'Sort the photographs',
        'Candles',
      ].map((title) => (of(title) === undefined ? null : [of(title)?.dueLocal, of(title)?.overdue]))
    },
    expected: [[`${back(2)} 12:00`, true], [`${today} 21:00`, false], [null, false], null],
  },
]

const measurements: readonly Case[] = [
  {
    what: 'a night that was not measured is missing, not a night without sleep',
    answer: () => ask('health', 'sleep', { night: back(missingNight) }),
    expected: contain({ coverage: 'missing', asleepMin: null }),
  },
  {
    what: 'and a gap in the picture of a fortnight',
    answer: async () => {
      const { sparkline } = (await ask('health', 'trend', {
        ...{ metric: 'sleep', days: 14, to: today },
      })) as unknown as { sparkline: string }
      return [...sparkline].flatMap((one, at) => (one === ' ' ? [at] : []))
    },
    expected: [13 - missingNight],
  },
  {
    what: 'steps that watch and phone have both counted are counted once',
    answer: () => ask('health', 'summary', { date: back(1) }),
    expected: contain({ steps: stepsOn(walks, back(1)) }),
  },
  {
    what: 'a day that is unlike the others is named',
    answer: () => ask('health', 'anomalies', { days: 7, to: today }),
    expected: contain({
      anomalies: expect.arrayContaining([
        contain({ date: back(unlikeDay), metric: 'restingHeartRate' }),
      ]),
    }),
  },
  {
    what: 'a computer left on over lunch is not in use, and two windows at once are one',
    answer: async () => {
      const day = [back(1), back(2)].find((one) => screenMinutes(one, seed).active > 0) ?? ''
      return ask('screentime', 'timeline', { date: day, limit: 1, timeZone: 'UTC' })
    },
    expected: contain({ activeMinutes: 570, idle: 'subtracted' }),
  },
  {
    what: 'a day without records has no minutes',
    answer: async () => {
      const days = Array.from({ length: 9 }, (_, n) => back(n + 1))
      const day = days.find((one) => screenMinutes(one, seed).active === 0) ?? ''
      return ask('screentime', 'timeline', { date: day, limit: 1, timeZone: 'UTC' })
    },
    expected: contain({ activeMinutes: 0, count: 0 }),
  },
]

const money: readonly Case[] = [
  {
    what: 'a refund takes off what was spent before',
    needs: hledger,
    answer: async () => {
      const clothes = async (day: string, lastDays: number) => {
        const { spending } = (await ask('finance', 'spending', { day, lastDays })) as unknown as {
          spending: readonly { key: string; text: string }[]
        }
        return spending.find(({ key }) => key === 'expenses:clothes')?.text ?? null
      }
      return [
        await clothes('2026-10-14', 1),
        await clothes('2026-10-19', 1),
        await clothes('2026-10-19', 6),
      ]
    },
    expected: ['79.90 EUR', '-79.90 EUR', '0.00 EUR'],
  },
  {
    what: 'a rent that has changed is said to have changed',
    needs: hledger,
    answer: () => ask('finance', 'recurring', { day: today, lookbackMonths: 25, withinDays: 60 }),
    expected: contain({
      recurring: expect.arrayContaining([
        contain({
          payee: 'Landlord',
          text: '-905.00 EUR',
          changed: { currency: 'EUR', minor: -87_000 },
        }),
      ]),
    }),
  },
  {
    what: 'a bill of once a year is known two years later',
    needs: hledger,
    answer: () => ask('finance', 'recurring', { day: today, lookbackMonths: 25, withinDays: 14 }),
    expected: contain({
      recurring: expect.arrayContaining([
        contain({ payee: 'Household insurance', nextDate: daysLater(today, 14) }),
      ]),
    }),
  },
]

const backups: readonly Case[] = [
  {
    what: 'a backup in which one byte is another is damaged, and its file is named',
    needs: restic,
    answer: () => ask('backup', 'verify', { repository: 'damaged', of: 1 }),
    expected: contain({
      ok: false,
      damagedCount: 1,
      damaged: [
        contain({
          file: expect.stringMatching(/^data\/[0-9a-f]{2}\/[0-9a-f]{64}$/),
          holds: expect.arrayContaining(['/house.md']),
        }),
      ],
    }),
  },
  {
    what: 'and the one beside it is sound',
    needs: restic,
    answer: () => ask('backup', 'verify', { repository: 'home', of: 1 }),
    expected: contain({ ok: true, damaged: [] }),
  },
]

describe('a month of awkward data', { timeout: installTimeoutMs }, () => {
  for (const { what, needs, answer, expected } of [
    ...times,
    ...measurements,
    ...money,
    ...backups,
  ]) {
    test(what, async (context) => {
      if (needs !== undefined && 'missing' in needs) return context.skip(needs.missing)
      expect(await answer()).toEqual(expected)
    })
  }

  test('the sum of a week is the journal’s on every day of two months', async (context) => {
    if ('missing' in hledger) return context.skip(hledger.missing)
    const journal = await readFile(join(folder, 'agents/finance/data/main.journal'), 'utf8')
    for (let day = back(60); day <= today; day = daysLater(day, 1)) {
      const spent = [...spentIn(journal, daysLater(day, -6), day).values()]
      const { totals } = (await ask('finance', 'spending', { day, lastDays: 7 })) as unknown as {
        totals: readonly { readonly currency: string; readonly minor: number }[]
      }
      const sum = spent.reduce((all, one) => all + one, 0)
      const [euros, ...others] = totals
      expect(others).toEqual([])
      // Fuel has a price of three decimals.
      expect(Math.abs((euros?.minor ?? 0) - sum), day).toBeLessThanOrEqual(1)
    }
  })
})
