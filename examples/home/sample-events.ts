// What happens in the sample home: a month of a household's work and family calendar, drawn from a
// seed. Invariant: every day of the month has at least two events in each calendar, one of them an
// instance of a series. Each day is drawn on its own, so that a day looks the same in every month
// that covers it. Pure.

import { dayAfter, nextClockChange, type SampleEvent } from './ics-writer.ts'

export interface Month {
  readonly from: string
  /** Exclusive. */
  readonly to: string
  readonly timeZone: string
  readonly seed: number
}

const workTopics = [
  ['Roadmap for the spring release', 'Room 2.14'],
  ['Interview: backend engineer', 'Room 1.03'],
  ['Budget round, second draft', 'Room 2.14'],
  ['Call with the Graz office', 'video'],
  ['Review: checkout latency', 'Room 3.01'],
  ['Lunch with Petra', 'Café Central'],
  ['Supplier contracts', 'Room 1.03'],
  ['One-to-one with Jonas', 'walk'],
  ['Workshop: incident drills', 'Room 3.01'],
  ['Office hours', 'kitchen'],
] as const
const weekendDuties = [
  'On-call: deploy window',
  'On-call: database maintenance',
  'On-call: backup check',
] as const
const familyPlans = [
  ['Dentist, Dr. Huber', 'Hauptstraße 12'],
  ['Parents’ evening', 'school'],
  ['Library books are due', 'city library'],
  ['Dinner with the Bergers', 'at home'],
  ['Bicycle repair pick-up', 'workshop'],
  ['Choir rehearsal', 'parish hall'],
  ['Call Grandma', 'phone'],
  ['Weekly shop', 'market'],
  ['Football practice', 'north pitch'],
  ['Plumber: kitchen sink', 'at home'],
] as const
const times = ['10:00', '11:30', '13:00', '14:15', '15:30', '16:45'] as const

export function workEvents(month: Month): SampleEvent[] {
  const series = seriesStart(month)
  const tuesday = onWeekday(month.from, 2, 2)
  const thursday = onWeekday(month.from, 4, 2)
  const changed = nextClockChange(month.timeZone, month.to)
  return [
    {
      id: 'work-jobs',
      summary: 'Look through the night’s jobs',
      day: series,
      time: '08:30',
      minutes: 15,
      rrule: 'FREQ=DAILY',
    },
    {
      id: 'work-stand-up',
      summary: 'Stand-up',
      day: onWeekday(series, 1),
      time: '09:15',
      minutes: 15,
      rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
      except: [thursday],
      location: 'Room 2.14',
    },
    {
      id: 'work-stand-up',
      summary: 'Stand-up with the suppliers',
      day: tuesday,
      time: '09:45',
      minutes: 30,
      replaces: { day: tuesday, time: '09:15' },
      location: 'video',
    },
    {
      id: 'work-review',
      summary: 'Sprint review',
      day: onWeekday(series, 3),
      time: '14:00',
      minutes: 60,
      rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=WE',
    },
    {
      id: 'work-invoices',
      summary: 'Send invoices',
      day: lastDayOfMonth(series),
      rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1',
    },
    {
      id: `work-conference-${month.from}`,
      summary: 'Conference in Linz',
      day: dayAfter(month.from, 19),
      days: 3,
      location: 'Design Center Linz',
    },
    ...(changed === undefined
      ? []
      : [
          {
            id: `work-inventory-${changed}`,
            summary: 'Inventory through the night of the clock change',
            day: dayAfter(changed, -1),
            time: '22:00',
            minutes: 600,
          },
        ]),
    ...eachDay(month, (day, draw) => {
      if (weekdayOf(day) >= 6)
        return [
          {
            id: `work-${day}-0`,
            summary: pick(weekendDuties, draw),
            day,
            time: '12:00',
            minutes: 60,
          },
        ]
      return drawn(day, 'work', { choices: workTopics, count: 1 + Math.floor(draw() * 3), draw })
    }),
  ]
}

export function familyEvents(month: Month): SampleEvent[] {
  const series = seriesStart(month)
  return [
    {
      id: 'family-dog',
      summary: 'Walk the dog',
      day: series,
      time: '18:30',
      minutes: 30,
      rrule: 'FREQ=DAILY',
    },
    {
      id: 'family-piano',
      summary: 'Piano lesson, Mia',
      day: onWeekday(series, 3),
      time: '17:00',
      minutes: 45,
      rrule: 'FREQ=WEEKLY;BYDAY=WE',
      location: 'music school',
    },
    {
      id: 'family-swimming',
      summary: 'Swimming, both children',
      day: onWeekday(series, 6),
      time: '09:30',
      minutes: 60,
      rrule: 'FREQ=WEEKLY;BYDAY=SA',
      location: 'indoor pool',
    },
    {
      id: 'family-paper',
      summary: 'Put out the waste paper',
      day: onWeekday(series, 4),
      rrule: 'FREQ=WEEKLY;INTERVAL=2',
    },
    {
      id: `family-visit-${month.from}`,
      summary: 'Grandparents are here',
      day: dayAfter(month.from, 13),
      days: 3,
    },
    {
      id: `family-breakfast-${month.from}`,
      summary: 'Breakfast together, wherever we are',
      day: dayAfter(month.from, 16),
      time: '08:00',
      minutes: 45,
      floating: true,
    },
    ...eachDay(month, (day, draw) =>
      drawn(day, 'family', { choices: familyPlans, count: 1 + Math.floor(draw() * 2), draw }),
    ),
  ]
}

interface Drawing {
  readonly choices: readonly (readonly [string, string])[]
  readonly count: number
  readonly draw: () => number
}

function drawn(day: string, calendar: string, { choices, count, draw }: Drawing): SampleEvent[] {
  const topics = shuffled(choices, draw).slice(0, count)
  const starts = shuffled(times, draw)
  return topics.map(([summary, location], index) => ({
    id: `${calendar}-${day}-${index}`,
    summary,
    location,
    day,
    time: starts[index] ?? '10:00',
    minutes: 30 + 15 * Math.floor(draw() * 4),
  }))
}

/** Series began some weeks ago, so that today's instance is not the first. */
function seriesStart({ from }: Month): string {
  return dayAfter(from, -28)
}

/** The first such weekday (1 Monday, 7 Sunday) on or after a day, some weeks later. */
function onWeekday(day: string, weekday: number, weeks = 0): string {
  return dayAfter(day, ((weekday - weekdayOf(day) + 7) % 7) + 7 * weeks)
}

function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7
}

function lastDayOfMonth(day: string): string {
  const [year = 0, month = 0] = day.split('-').map(Number)
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)
}

function eachDay(
  { from, to, seed }: Month,
  eventsOf: (day: string, draw: () => number) => SampleEvent[],
): SampleEvent[] {
  const events: SampleEvent[] = []
  for (let day = from; day < to; day = dayAfter(day, 1)) {
    events.push(...eventsOf(day, generator(seed + Number(day.replaceAll('-', '')))))
  }
  return events
}

/** mulberry32, a small public-domain generator by Tommy Ettinger: same seed, same month. */
function generator(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<Item>(items: readonly [Item, ...Item[]], draw: () => number): Item {
  return items[Math.floor(draw() * items.length)] ?? items[0]
}

function shuffled<Item>(items: readonly Item[], draw: () => number): Item[] {
  return items
    .map((item) => ({ item, rank: draw() }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ item }) => item)
}
