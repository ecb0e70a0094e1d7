// The sample home's reminders: three lists as VTODO (RFC 5545, 3.6.2), drawn from a seed, with the awkward
// cases in them: one that is late, one of a day, one without a time, floating ones, some that come again,
// and done ones that nobody wants to see. Text out; a list is written once.

import { dayAfter, escaped, timeLine, uidDomain } from './ics-writer.ts'

interface SampleReminder {
  readonly id: string
  readonly title: string
  /** None: some time. */
  readonly day?: string
  /** `HH:MM`; without it the reminder is of the whole day. */
  readonly time?: string
  readonly floating?: boolean
  readonly rrule?: string
  readonly priority?: number
  readonly notes?: string
  /** The day on which it was done. */
  readonly done?: string
}

export interface RemindersInput {
  readonly today: string
  readonly timeZone: string
  readonly seed: number
}

const errands = [
  'Take the bicycle to the repair shop',
  'Post the parcel for Grandma',
  'Ask the landlord about the cellar',
  'Renew the library card',
  'Book the chimney sweep',
  'Return the drill to the Bergers',
  'Print the holiday pictures',
  'Order new filters for the coffee machine',
] as const

/** Name of the list -> its ICS text. */
export function reminderLists(input: RemindersInput): ReadonlyMap<string, string> {
  const { today, seed } = input
  const on = (days: number) => dayAfter(today, days)
  const drawn = errands.map((title, at) => ({
    id: `errand-${at}`,
    title,
    // Spread over a month by the seed: some are over and done, some are to come.
    day: on(((at * 7 + seed * 3) % 29) - 9),
  }))
  const home: SampleReminder[] = [
    { id: 'grandma', title: 'Call Grandma', day: today, time: '18:00' },
    {
      id: 'medicine',
      title: 'Take the tablets',
      day: today,
      time: '21:00',
      floating: true,
      rrule: 'FREQ=DAILY',
    },
    {
      id: 'late',
      title: 'Answer the school about the trip',
      day: on(-2),
      time: '12:00',
      priority: 1,
    },
    { id: 'plants', title: 'Water the plants', day: on(1), rrule: 'FREQ=WEEKLY' },
    { id: 'some-time', title: 'Sort the photographs', priority: 9 },
    ...drawn.map((one) => (one.day < today ? { ...one, done: one.day } : one)),
  ]
  const bills: SampleReminder[] = [
    { id: 'rent', title: 'Rent', day: firstOfNextMonth(today), rrule: 'FREQ=MONTHLY;BYMONTHDAY=1' },
    {
      id: 'insurance',
      title: 'Household insurance',
      day: on(9),
      rrule: 'FREQ=YEARLY',
      notes: 'Policy 48-1204; the premium went up last year.',
    },
  ]
  const shopping: SampleReminder[] = [
    { id: 'bread', title: 'Bread' },
    { id: 'milk', title: 'Milk, two litres' },
    { id: 'candles', title: 'Candles', done: on(-1) },
  ]
  const lists = { reminders: home, bills, shopping }
  return new Map(Object.entries(lists).map(([name, todos]) => [name, listText(todos, input)]))
}

function firstOfNextMonth(day: string): string {
  const [year = 0, month = 0] = day.split('-').map(Number)
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10)
}

function listText(todos: readonly SampleReminder[], input: RemindersInput): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Bulkhead//Sample home//EN',
    ...todos.flatMap((todo) => todoLines(todo, input)),
    'END:VCALENDAR',
  ]
  return `${lines.join('\r\n')}\r\n`
}

function todoLines(todo: SampleReminder, { today, timeZone }: RemindersInput): string[] {
  const { day, time, rrule, priority, notes, done } = todo
  const clock = todo.floating === true ? undefined : timeZone
  const stamp = (name: string) =>
    day === undefined ? [] : [timeLine(name, { on: day, at: time, clock })]
  return [
    'BEGIN:VTODO',
    `UID:${todo.id}${uidDomain}`,
    `DTSTAMP:${today.replaceAll('-', '')}T000000Z`,
    `SUMMARY:${escaped(todo.title)}`,
    ...(rrule === undefined ? [] : [...stamp('DTSTART'), `RRULE:${rrule}`]),
    ...stamp('DUE'),
    ...(priority === undefined ? [] : [`PRIORITY:${priority}`]),
    ...(notes === undefined ? [] : [`DESCRIPTION:${escaped(notes)}`]),
    ...(done === undefined
      ? ['STATUS:NEEDS-ACTION']
      : ['STATUS:COMPLETED', `COMPLETED:${done.replaceAll('-', '')}T100000Z`]),
    'END:VTODO',
  ]
}
