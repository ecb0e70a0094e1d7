// find: the one event that somebody means, or what a person needs to say which (docs/adr/0047). Invariant:
// `event` is there when exactly one fits, and nothing else is ever put in its place. What a question shows
// of events is one line each, quoted and bounded, and the name to choose one by is made here: of what
// strangers wrote, nothing is fit to stand in a command.

import { sha256 } from '../../security/verify/hash.ts'
import type { ActionContext } from '../define-agent.ts'
import type { CalendarEvent, Choice, Found } from './event-shapes.ts'
import { whenOf } from './folder.ts'
import type { Occurrence } from './occurrences.ts'
import { hasText, lookThrough, type Scope, shown } from './read-actions.ts'
import { dayMs, type InstantMs, parseMoment, toInstant } from './wall-clock.ts'

/** As many as a person looks through. */
const maxCandidates = 10
const maxNearest = 5
/** How far from the time that was named somebody may be mistaken. */
const nearMs = 7 * dayMs
const maxTitle = 80

export interface FindArgs extends Scope {
  readonly at: string
  readonly with?: string | undefined
  /** `event` of an earlier answer's choices. */
  readonly event?: string | undefined
}

/** The one event of a day, or that runs at a time, with a person or a word in it. @throws ActionFailure */
export function find(args: FindArgs, context: ActionContext): Found {
  let wanted: Span = { from: 0, to: 0 }
  const seen = lookThrough(args, context, (viewer) => {
    const { allDay, wall, instant } = parseMoment(args.at, viewer)
    wanted = { from: instant, to: allDay ? toInstant(viewer, wall + dayMs) : instant + 1 }
    return { from: wanted.from - nearMs, to: wanted.to + nearMs }
  })
  const all = seen.occurrences.map((occurrence) => {
    const event = shown(occurrence, seen.viewer)
    return { occurrence, event, choice: choiceOf(event) }
  })
  const isMeant = ({ occurrence: { event } }: (typeof all)[number]) =>
    hasText([event.summary, event.location, event.description, event.people], args.with)
  const fits = all.filter(
    (one) =>
      distance(one.occurrence, wanted) === 0 &&
      isMeant(one) &&
      (args.event === undefined || args.event === one.choice.event),
  )
  const [one] = fits
  const base = {
    ...whenOf(seen),
    asked: { at: args.at, with: args.with === undefined ? null : quoted(args.with) },
    count: fits.length,
    event: null,
    guests: 0,
    candidates: [],
    nearest: [],
  }
  if (one === undefined) {
    const far = (entry: (typeof all)[number]) =>
      (isMeant(entry) ? 0 : nearMs * 10) + distance(entry.occurrence, wanted)
    const nearest = all.sort((left, right) => far(left) - far(right)).slice(0, maxNearest)
    return { ...base, found: 'none', nearest: nearest.map(({ choice }) => choice) }
  }
  if (fits.length === 1) {
    const { event, occurrence } = one
    return { ...base, found: 'one', event, guests: occurrence.guests }
  }
  const candidates = fits.slice(0, maxCandidates).map(({ choice }) => choice)
  return { ...base, found: 'several', candidates }
}

interface Span {
  readonly from: InstantMs
  readonly to: InstantMs
}

/** 0 for what touches the stretch; an event of no length lies where it begins. */
function distance({ start, end }: Pick<Occurrence, 'start' | 'end'>, { from, to }: Span): number {
  const until = Math.max(end, start + 1)
  return Math.max(0, start - (to - 1), from - (until - 1))
}

function choiceOf(event: CalendarEvent): Choice {
  const { calendar, uid, recurrenceId, start, startLocal, summary } = event
  const name = sha256(JSON.stringify([calendar, uid, recurrenceId]))
  return {
    event: Buffer.from(name, 'base64url').toString('hex').slice(0, 12),
    calendar,
    when: `${start.slice(0, 10)} ${startLocal}`,
    title: quoted(summary),
  }
}

/** One line between quotation marks, whatever it was. */
function quoted(text: string): string {
  const line = text
    .toWellFormed()
    .slice(0, 4 * maxTitle)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll(/["\\]/g, "'")
    .trim()
  const characters = [...line]
  return `"${characters.length > maxTitle ? `${characters.slice(0, maxTitle - 1).join('')}…` : line}"`
}
