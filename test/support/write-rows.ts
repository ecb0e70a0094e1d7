// Every action whose effect is more than reading, with what it takes to try it in the write house, in an
// order in which each finds what the one before has left. What kind of action it is, its manifest says
// (effects-of.ts); a new one without a row fails test/integration/writes.test.ts by name.

import { isObject } from '../../plan/pointer.ts'
import { type Step, serverCalendar, serverList } from './write-house.ts'
import { partyCalendar } from './write-invitation.ts'

type Call = Pick<Step, 'agent' | 'action' | 'args'>

export interface WriteRow {
  readonly name: `${string}.${string}`
  /** Where it can happen in two places. */
  readonly at?: 'server'
  /** From what `told` says before it: ids and versions, which a person's plan has from an earlier answer. */
  readonly args: (said: unknown) => object
  /** The agent's own read that says whether it has happened. */
  readonly told: Call
  /** What is shown as `after` has the time of the call in it, or its id. */
  readonly isUnique?: true
}

const call = (name: string, args: object): Call => {
  const [agent = '', action = ''] = name.split('.')
  return { agent, action, args }
}
/** What names the first of a list, as the agent gives it. */
function theFirst(said: unknown, list: 'events' | 'reminders' | 'timers') {
  const first = isObject(said) && Array.isArray(said[list]) ? said[list][0] : undefined
  if (!isObject(first)) throw new Error(`no ${list} in ${JSON.stringify(said)}`)
  return { uid: first['uid'], ifMatch: first['etag'] }
}

const may = { from: '2031-05-01', to: '2031-06-01' }
const june = { from: '2031-06-01', to: '2031-07-01' }
const tea = { start: '2031-05-05T16:00', durationMinutes: 30 }
const events = (calendar: string) =>
  call('calendar.search', { query: 'tea', ...may, calendars: [calendar] })
const calendarRows = (calendar: string, at: Pick<WriteRow, 'at'>): readonly WriteRow[] => {
  const told = events(calendar)
  const target = (said: unknown) => ({ calendar, scope: 'all', ...theFirst(said, 'events') })
  const later = { start: '2031-05-05T17:00', end: '2031-05-05T18:00' }
  return [
    { ...at, name: 'calendar.create', told, args: () => ({ calendar, summary: 'Tea', ...tea }) },
    {
      ...{ ...at, name: 'calendar.update', told },
      args: (said) => ({ ...target(said), patch: { location: 'Garden', ...later } }),
    },
    { ...at, name: 'calendar.delete', told, args: target },
  ]
}

/** What others are in: who is told, a server that has it may mail. */
const partyRows = (calendar: string, at: Pick<WriteRow, 'at'>): readonly WriteRow[] => {
  const told = call('calendar.search', { query: 'party', ...june, calendars: [calendar] })
  const target = (said: unknown) => ({ calendar, scope: 'all', ...theFirst(said, 'events') })
  return [
    {
      ...{ ...at, name: 'calendar.respond', told },
      args: (said) => ({ ...target(said), as: 'anna@example.org', response: 'accepted' }),
    },
    {
      ...{ ...at, name: 'calendar.reschedule', told },
      args: (said) => ({ ...target(said), patch: { start: '2031-06-05T19:00' } }),
    },
    { ...at, name: 'calendar.cancel', told, args: target },
  ]
}

const reminderRows = (list: string, at: Pick<WriteRow, 'at'>): readonly WriteRow[] => {
  const told = call('reminders.list', { lists: [list], completed: true })
  const target = (said: unknown) => ({ list, ...theFirst(said, 'reminders') })
  return [
    {
      ...{ ...at, name: 'reminders.add', told: call('reminders.list', { limit: 500 }) },
      args: () => ({ list, title: 'Water the table', due: '2031-05-05T09:00' }),
    },
    {
      ...{ ...at, name: 'reminders.snooze', told },
      args: (said) => ({ ...target(said), until: '2031-05-06T09:00' }),
    },
    { ...at, name: 'reminders.complete', told, args: target, isUnique: true },
  ]
}
const timers = call('reminders.timers', {})
const timerRows: readonly WriteRow[] = [
  { name: 'reminders.timer_set', args: () => ({ minutes: 600 }), told: timers, isUnique: true },
  { name: 'reminders.timer_cancel', args: (said) => theFirst(said, 'timers'), told: timers },
]

const memories = call('memory.list', {})
function entryIn(said: unknown): unknown {
  const first = isObject(said) && Array.isArray(said['entries']) ? said['entries'][0] : undefined
  if (!isObject(first)) throw new Error(`no entries in ${JSON.stringify(said)}`)
  return first['id']
}

const balances = (account: string) => call('finance.balances', { accounts: [account] })
const joint = 'assets:bank:joint'
const afar = 'assets:bank:afar'
const feeds = call('feeds.list', {})
/** The same before and after a midnight that falls into the test. */
const today = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short' }).format(new Date())

/** @param web origin of the sample home's web server */
export const writeRows = (web: string): readonly WriteRow[] => [
  ...calendarRows('work', {}),
  ...calendarRows(serverCalendar, { at: 'server' }),
  ...partyRows(partyCalendar, {}),
  ...partyRows(serverCalendar, { at: 'server' }),
  ...reminderRows('errands', {}),
  ...reminderRows(serverList, { at: 'server' }),
  ...timerRows,
  { name: 'feeds.unsubscribe', args: () => ({ url: `${web}/feeds/news.rss` }), told: feeds },
  { name: 'feeds.subscribe', args: () => ({ url: `${web}/feeds/news.rss` }), told: feeds },
  {
    name: 'finance.import',
    args: () => ({ file: 'giro.csv', rules: 'giro', account: joint }),
    told: balances(joint),
  },
  { name: 'finance.sync', args: () => ({ source: 'ACT-1', account: afar }), told: balances(afar) },
  {
    name: 'health.import',
    args: () => ({ file: 'export.xml' }),
    told: call('health.trend', { metric: 'steps', to: today, days: 30 }),
  },
  { name: 'memory.remember', args: () => ({ text: 'A table' }), told: memories, isUnique: true },
  {
    name: 'memory.forget',
    args: (said) => ({ id: entryIn(said) }),
    told: memories,
    isUnique: true,
  },
  {
    name: 'notes.append',
    args: () => ({ note: 'ideas', text: 'A table for the garden' }),
    isUnique: true,
    told: call('notes.read', { note: 'ideas' }),
  },
]

export interface QuestionRow {
  readonly name: `${string}.${string}`
  readonly args: object
  /** The folder in which what it heard is kept, if any, and why that is nothing of the person's. */
  readonly keeps?: { readonly below: string; readonly because: string }
}

const day = '2026-11-20'
const place = { place: { lat: 48.21, lon: 16.37 } }
const houseModel = { provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0 }
const copy = (agent: string) => ({
  below: `${agent}/data/.bulkhead/`,
  because: 'the copy of what the server has, which the server is asked again for',
})

export const questionRows: readonly QuestionRow[] = [
  { name: 'calendar.sync', args: {}, keeps: copy('calendar') },
  { name: 'reminders.sync', args: {}, keeps: copy('reminders') },
  { name: 'calendar.collections', args: {} },
  { name: 'reminders.collections', args: {} },
  {
    ...{ name: 'feeds.fetch_new', args: {} },
    keeps: { below: 'feeds/data/', because: 'items of feeds, and when each was asked' },
  },
  {
    name: 'model.propose',
    args: {
      ...houseModel,
      words: ['a table, please'],
      now: `${day}T09:00:00Z`,
      actions: [{ action: 'notes.list', summary: 'notes', args: [] }],
    },
  },
  {
    name: 'model.extract',
    args: { ...houseModel, text: 'a table', fields: [{ name: 'what', type: 'text' }] },
  },
  { name: 'model.compose', args: { ...houseModel, instruction: 'a word about tables' } },
  { name: 'model.embed', args: { ...houseModel, texts: ['a table'] } },
  { name: 'screentime.top', args: { from: day } },
  { name: 'screentime.focus', args: { from: day } },
  { name: 'screentime.compare', args: { a: { from: day }, b: { from: day } } },
  { name: 'screentime.timeline', args: { date: day } },
  { name: 'screentime.rules_check', args: { date: day, limits: [{ key: 'Video', minutes: 30 }] } },
  { name: 'weather.now', args: place },
  { name: 'weather.forecast', args: { ...place, days: 2 } },
  { name: 'weather.alerts', args: { place: { lat: 38.9, lon: -77.04 } } },
  { name: 'weather.sun', args: place },
]
