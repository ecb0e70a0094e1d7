// What the generator of the sample home implies of a day, counted without any code of the agents: from the
// text of the journal, from the records of the computer, from the walks that were really made.

import { eventsOfDay } from '../../examples/home/screentime.ts'

const dayMs = 24 * 3_600_000

/** `YYYY-MM-DD`, so many days later. */
export function daysLater(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)
}

/**
 * Cents that went to accounts below `expenses:`, by the first part of the name, from the first of these
 * days to the last. Knows what the sample journal writes: euros, litres at a price, dollars at a cost, and
 * a posting without an amount, which is the rest.
 */
export function spentIn(journal: string, from: string, to: string): ReadonlyMap<string, number> {
  const spent = new Map<string, number>()
  for (const entry of journal.split(/\n(?=\d{4}-\d{2}-\d{2} )/).slice(1)) {
    const [head = '', ...lines] = entry.split('\n')
    const day = head.slice(0, 10)
    if (day < from || day > to) continue
    const postings = lines.filter((line) => /^ {4}[a-z]/.test(line)).map(toPosting)
    const known = postings.reduce((sum, { cents }) => sum + (cents ?? 0), 0)
    for (const { account, cents } of postings) {
      if (!account.startsWith('expenses:')) continue
      spent.set(account, (spent.get(account) ?? 0) + (cents ?? -known))
    }
  }
  return spent
}

function toPosting(line: string): { readonly account: string; readonly cents?: number } {
  const [account = '', amount] = line.trim().split(/ {2,}/)
  if (amount === undefined) return { account }
  const cost = / @@ ([\d.]+) EUR$/.exec(amount)?.[1]
  const [, count, price] = /^([\d.]+) L @ ([\d.]+) EUR$/.exec(amount) ?? []
  const euros = count === undefined ? (cost ?? amount.replace(/ EUR$/, '')) : undefined
  const value = euros === undefined ? Number(count) * Number(price) : Number(euros)
  return { account, cents: value * 100 }
}

/** Minutes in front of the screen, and those in which a film ran, as the sample laptop recorded them. */
export function screenMinutes(day: string, seed: number) {
  const midnight = Date.parse(day)
  const presence = eventsOfDay('afkstatus', midnight, seed)
  const there = presence.filter(({ data }) => data['status'] === 'not-afk')
  const isThere = (timestamp: string) =>
    there.some(({ timestamp: from, duration }) => {
      const after = Date.parse(timestamp) - Date.parse(from)
      return after >= 0 && after < duration * 1_000
    })
  const tabs = new Map(
    eventsOfDay('web.tab.current', midnight, seed).map(({ timestamp, data }) => [
      timestamp,
      String(data['url']),
    ]),
  )
  const isFilm = (app: unknown, timestamp: string) =>
    app === 'vlc' ||
    (app === 'Firefox' && tabs.get(timestamp)?.startsWith('https://www.youtube.com/') === true)
  const films = eventsOfDay('currentwindow', midnight, seed).filter(
    ({ timestamp, duration, data }) =>
      duration > 0 && isThere(timestamp) && isFilm(data['app'], timestamp),
  )
  const minutes = (events: readonly { readonly duration: number }[]) =>
    events.reduce((sum, { duration }) => sum + duration / 60, 0)
  return { active: minutes(there), films: minutes(films) }
}
