// What an ActivityWatch server recorded (docs.activitywatch.net, REST v0): its buckets, and their events
// in a range, as spans. Time counts where a window was in front and, if the computer watched for it,
// somebody was there, as ActivityWatch's own summary counts it. Everything in a reply was written by
// watchers and pages: it is checked, bounded and cut.

import { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { browsersOf, domainOf } from './browsers.ts'
import { corrupt, tooMuch } from './failures.ts'
import { plain } from './plain-text.ts'
import {
  type Device,
  overlay,
  type Span,
  type Stretch,
  totalOf,
  type Use,
  union,
  within,
  withoutOverlaps,
} from './spans.ts'

/** About ten thousand events; parsed, they take ten times as much of a sandbox's 256 MiB. */
const maxReplyBytes = 2 * 1024 * 1024
/** Of one reply; one that is full is asked for again in two halves. */
const maxPage = 10_000
/** A busy month has ninety thousand. */
const maxEvents = 120_000
/** Of one command; a month of a house with several computers needs forty. */
const maxQuestions = 120
const maxBuckets = 500
/** One reply holds four days of ordinary use. */
const firstSliceMs = 4 * 24 * 3_600_000
/** More records than a reply holds within a minute are no person's. */
const leastSliceMs = 60_000
/** No event is longer: a watcher's clock was set. */
const maxDurationS = 31 * 24 * 3_600

const bucketsShape = z.record(
  z.string().max(300),
  z.object({
    id: z.string().min(1).max(300),
    type: z.string().max(200),
    hostname: z.string().max(300).nullish(),
  }),
)
type Bucket = z.infer<typeof bucketsShape>[string]

const eventsShape = z.array(
  z.object({
    timestamp: z.string().max(64),
    duration: z.number(),
    data: z.record(z.string(), z.unknown()),
  }),
)

interface Recorded extends Stretch {
  readonly data: Readonly<Record<string, unknown>>
}

/** What the question needs: where apps are enough, no tab is asked for and no title is kept. */
export interface Wanted {
  readonly sites: boolean
  readonly titles: boolean
}

/** Null is an event that gives none, undefined one that cannot be meant. */
type Reading<Kind> = (event: Recorded) => Kind | null | undefined

/**
 * @returns spans of each computer within `range`, none of them after the action's own time
 * @throws ActionFailure UNAVAILABLE with `absent` when asking later may help; CORRUPT_DATA for a reply
 *   of another shape; LIMIT_EXCEEDED for more than a command can read
 */
export async function readActivityWatch(
  context: ActionContext,
  range: Stretch,
  { sites, titles }: Wanted,
): Promise<Use> {
  // A computer whose clock is ahead records the future: nobody was there yet.
  const past = { from: range.from, to: Math.min(range.to, context.now()) }
  if (past.to <= past.from) return { devices: [], ignored: 0 }
  const reader = createReader(context, past)
  const buckets = await reader.buckets()
  const of = (type: string) => buckets.filter((bucket) => bucket.type === type)
  const tabs: Tabs[] = []
  for (const bucket of sites ? of('web.tab.current') : []) {
    const stretches = withoutOverlaps(await reader.events(bucket, toTab))
    tabs.push({ isFor: browsersOf(bucket.id), stretches })
  }
  const hosts = new Set(of('currentwindow').map(hostOf))
  const devices: Device[] = []
  for (const host of hosts) {
    const own = (type: string) => of(type).filter((bucket) => hostOf(bucket) === host)
    const read = async <Kind>(type: string, to: Reading<Kind>) => {
      // One after the other: parsed replies are large, and the sandbox is not.
      const found: Kind[][] = []
      for (const bucket of own(type)) found.push(await reader.events(bucket, to))
      return found.flat()
    }
    const windows = withoutOverlaps(await read('currentwindow', toWindow(titles)))
    const presence = own('afkstatus')
    const there = union(await read('afkstatus', toPresence))
    const seen = presence.length === 0 ? windows : within(windows, there)
    const spans = tabs.reduce(addTabs, seen)
    if (windows.length === 0) continue
    devices.push({ spans, afkMs: presence.length === 0 ? null : totalOf(windows) - totalOf(seen) })
  }
  return { devices, ignored: reader.ignored() }
}

const hostOf = ({ hostname }: Bucket) => hostname ?? ''

interface Tab extends Stretch {
  readonly domain: string
}
interface Tabs {
  readonly isFor: (app: string) => boolean
  readonly stretches: readonly Tab[]
}

/** A browser in the background goes on recording its tab: only what is in front counts. */
function addTabs(spans: readonly Span[], { isFor, stretches }: Tabs): Span[] {
  const covers = within(
    stretches,
    spans.filter(({ app, domain }) => domain === null && isFor(app)),
  )
  return overlay(spans, covers, (span, { domain }) => ({ ...span, domain }), 'keep')
}

function toWindow(titles: boolean): Reading<Span> {
  // A month has a hundred names, each of them a thousand times.
  const names = new Map<string, string>()
  return ({ from, to, data }) => {
    const app = data['app']
    const title = data['title']
    if (typeof app !== 'string') return undefined
    const written = plain(app, 100)
    const name = names.get(written) ?? written
    names.set(written, name)
    return {
      from,
      to,
      app: name === '' ? 'unknown' : name,
      domain: null,
      title: titles && typeof title === 'string' ? plain(title, 200) : null,
    }
  }
}

function toTab({ from, to, data }: Recorded): Tab | undefined {
  const url = data['url']
  return typeof url === 'string' ? { from, to, domain: domainOf(url) } : undefined
}

/** `null`: nobody was there, which is a record like any other. */
function toPresence({ from, to, data }: Recorded): Stretch | null | undefined {
  const status = data['status']
  if (status === 'afk') return null
  return status === 'not-afk' ? { from, to } : undefined
}

function createReader(context: ActionContext, range: Stretch) {
  let questions = 0
  let kept = 0
  let ignored = 0
  const ask = async <Shape extends z.ZodType>(
    path: string,
    query: Readonly<Record<string, string>>,
    shape: Shape,
  ): Promise<z.output<Shape>> => {
    questions += 1
    if (questions > maxQuestions) throw tooMuch('more records than one command can read')
    const reply = await context.fetch({
      egress: 'activitywatch',
      method: 'GET',
      path,
      query,
      headers: { accept: 'application/json' },
      maxBytes: maxReplyBytes,
    })
    if (reply.status === 429 || reply.status >= 500) {
      throw new ActionFailure('UNAVAILABLE', 'absent', `status ${reply.status}`)
    }
    if (reply.status !== 200) {
      throw new ActionFailure('UNAVAILABLE', 'final', `status ${reply.status}`)
    }
    return parse(reply.body, shape)
  }
  const page = async (bucket: Bucket, slice: Stretch) => {
    const path = `/api/0/buckets/${segmentOf(bucket.id)}/events`
    const [start, end] = [slice.from, slice.to].map((at) => new Date(at).toISOString())
    const query = { start: start ?? '', end: end ?? '', limit: String(maxPage) }
    try {
      const events = await ask(path, query, eventsShape)
      return events.length < maxPage ? events : undefined
    } catch (error) {
      if (error instanceof ActionFailure && error.code === 'LIMIT_EXCEEDED') {
        if (questions <= maxQuestions) return undefined
      }
      throw error
    }
  }
  return {
    ignored: () => ignored,
    async buckets(): Promise<readonly Bucket[]> {
      const all = Object.values(await ask('/api/0/buckets/', {}, bucketsShape))
      if (all.length > maxBuckets) throw tooMuch('more buckets than one command can read')
      return all
    },
    /** What `to` makes of each event. */
    async events<Kind>(bucket: Bucket, to: Reading<Kind>) {
      const found: Kind[] = []
      const slices = slicesOf(range)
      for (let slice = slices.shift(); slice !== undefined; slice = slices.shift()) {
        const events = await page(bucket, slice)
        if (events === undefined) {
          if (slice.to - slice.from <= leastSliceMs) throw tooMuch('a minute with too many records')
          const middle = Math.round((slice.from + slice.to) / 2)
          slices.unshift({ from: slice.from, to: middle }, { from: middle, to: slice.to })
          continue
        }
        kept += events.length
        if (kept > maxEvents) throw tooMuch('more records than one command can read')
        for (const event of events) {
          const recorded = toRecorded(event, slice)
          const made = recorded === undefined ? undefined : to(recorded)
          if (made === undefined) ignored += 1
          else if (made !== null && recorded !== undefined && recorded.to > recorded.from) {
            found.push(made)
          }
        }
      }
      return found
    },
  }
}

function slicesOf({ from, to }: Stretch): Stretch[] {
  const slices: Stretch[] = []
  for (let at = from; at < to; at += firstSliceMs) {
    slices.push({ from: at, to: Math.min(at + firstSliceMs, to) })
  }
  return slices
}

/**
 * The part of an event that lies within `slice`: an older server gives those that cross its border
 * whole. Undefined for one that no clock could have made.
 */
function toRecorded(event: z.infer<typeof eventsShape>[number], slice: Stretch) {
  const at = /^\d{4}-\d{2}-\d{2}[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})$/.test(event.timestamp)
    ? Date.parse(event.timestamp)
    : Number.NaN
  const { duration, data } = event
  if (Number.isNaN(at) || !(duration >= 0 && duration <= maxDurationS)) return undefined
  const from = Math.max(at, slice.from)
  return { from, to: Math.max(from, Math.min(at + duration * 1_000, slice.to)), data }
}

/** @throws ActionFailure CORRUPT_DATA for an id that no path can carry */
function segmentOf(id: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f/\\%;?#]|^\.+$/.test(id) || !id.isWellFormed()) {
    throw corrupt('a bucket with an id that no path can carry')
  }
  // The gateway takes the one spelling that encodes nothing needlessly.
  return encodeURIComponent(id).replace(/%(?:24|26|2B|2C|3A|3D|40)/g, decodeURIComponent)
}

function parse<Shape extends z.ZodType>(text: string, shape: Shape): z.output<Shape> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw corrupt('the reply is not JSON', error)
  }
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  throw corrupt(`a reply of another shape at ${depthOf(parsed.error)} levels`)
}

/** Where it is wrong, without a name of the reply. */
function depthOf(error: z.ZodError): number {
  return error.issues[0]?.path.length ?? 0
}
