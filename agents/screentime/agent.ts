// The screentime agent: what a person's computers recorded of their use, as figures. activity-watch.ts
// and knowledge-db.ts know the two sources, measures.ts counts; this file binds them to the manifest.

import type { z } from 'zod'
import { type ActionContext, defineAgent } from '../define-agent.ts'
import { ownZone } from '../own-zone.ts'
import { readActivityWatch } from './activity-watch.ts'
import { type Categorise, readCategories } from './categories.ts'
import { invalid } from './failures.ts'
import { readKnowledge } from './knowledge-db.ts'
import { type By, folderAt, manifest, type Source } from './manifest.ts'
import {
  activeMs,
  byKey,
  checkLimit,
  focusOf,
  hoursLine,
  idleOf,
  toMinutes,
  topOf,
} from './measures.ts'
import { joinNeighbours, type Stretch, type Use } from './spans.ts'
import {
  type Asking,
  clockText,
  dateOf,
  dayRange,
  instantText,
  writtenRange,
} from './time-range.ts'

type Actions = typeof manifest.actions
type Args<Name extends keyof Actions> = z.output<Actions[Name]['input']>

/** Shorter pauses are how watchers record, not something that a person did. */
const seamMs = 5_000

interface Asked {
  readonly source: Source
  readonly timeZone?: string | undefined
}

interface View {
  readonly asking: Asking
  readonly zone: string
  readonly categorise: Categorise
  read(range: Stretch, kinds: readonly By[], titles?: boolean): Promise<Use>
}

function open(context: ActionContext, { source, timeZone }: Asked): View {
  const folder = context.folder(folderAt)
  const zone = ownZone(folder, timeZone)
  return {
    zone,
    asking: { zone, now: context.now() },
    categorise: readCategories(folder),
    read: async (range, kinds, titles = false) =>
      source === 'macos'
        ? readKnowledge(folder, range, context.now())
        : readActivityWatch(context, range, { sites: kinds.some((by) => by !== 'app'), titles }),
  }
}

const about = (zone: string, use: Use) => ({
  timeZone: zone,
  idle: idleOf(use),
  devices: use.devices.length,
  ignored: use.ignored,
})
const period = (zone: string, { from, to }: Stretch, use: Use) => ({
  from: instantText(from, zone),
  to: instantText(to, zone),
  activeMinutes: toMinutes(activeMs(use)),
})

/** @throws ActionFailure INVALID_INPUT: what a source does not know is not reported as nothing */
function assertKnown(source: Source, by: readonly string[]): void {
  if (source === 'macos' && by.includes('domain')) {
    throw invalid('the records of macOS know apps, and no sites')
  }
}

async function top(args: Args<'top'>, context: ActionContext) {
  assertKnown(args.source, [args.by])
  const { zone, asking, categorise, read } = open(context, args)
  const range = writtenRange(args, asking)
  const use = await read(range, [args.by])
  const { by, limit } = args
  return {
    ...about(zone, use),
    ...period(zone, range, use),
    by,
    ...topOf(use, { by, limit, categorise }),
  }
}

async function focus(args: Args<'focus'>, context: ActionContext) {
  const { zone, asking, read } = open(context, args)
  const range = writtenRange(args, asking)
  const use = await read(range, ['app'])
  const { longest, switches, afkMs } = focusOf(use)
  const hours = activeMs(use) / 3_600_000
  return {
    ...about(zone, use),
    ...period(zone, range, use),
    afkMinutes: afkMs === null ? null : toMinutes(afkMs),
    longestStreak:
      longest === undefined
        ? null
        : {
            from: instantText(longest.from, zone),
            to: instantText(longest.to, zone),
            minutes: toMinutes(longest.to - longest.from),
            app: longest.app,
          },
    switches,
    switchesPerHour: hours === 0 ? 0 : Math.round((switches / hours) * 10) / 10,
  }
}

async function compare(args: Args<'compare'>, context: ActionContext) {
  assertKnown(args.source, [args.by])
  const { zone, asking, categorise, read } = open(context, args)
  const [rangeA, rangeB] = [writtenRange(args.a, asking), writtenRange(args.b, asking)]
  const useA = await read(rangeA, [args.by])
  const useB = await read(rangeB, [args.by])
  const keysA = new Map(byKey(useA, args.by, categorise))
  const keysB = new Map(byKey(useB, args.by, categorise))
  const rows = [...new Set([...keysA.keys(), ...keysB.keys()])].map((key) => {
    const [a, b] = [keysA.get(key) ?? 0, keysB.get(key) ?? 0]
    return {
      key,
      aMinutes: toMinutes(a),
      bMinutes: toMinutes(b),
      changeMinutes: toMinutes(b - a),
    }
  })
  rows.sort(
    (one, other) =>
      Math.abs(other.changeMinutes) - Math.abs(one.changeMinutes) || (one.key < other.key ? -1 : 1),
  )
  const both = {
    devices: [...useA.devices, ...useB.devices],
    ignored: useA.ignored + useB.ignored,
  }
  return {
    ...about(zone, both),
    // The same computers, in all likelihood: the periods are not added up.
    devices: Math.max(useA.devices.length, useB.devices.length),
    a: period(zone, rangeA, useA),
    b: period(zone, rangeB, useB),
    changeMinutes: toMinutes(activeMs(useB) - activeMs(useA)),
    by: args.by,
    count: rows.length,
    items: rows.slice(0, args.limit),
  }
}

async function timeline(args: Args<'timeline'>, context: ActionContext) {
  const { zone, asking, categorise, read } = open(context, args)
  const date = dateOf(args.date, asking)
  const range = dayRange(date, zone)
  const use = await read(range, ['category'], args.titles)
  const all = use.devices
    .flatMap(({ spans }) =>
      joinNeighbours(
        spans,
        seamMs,
        (one, other) => one.app === other.app && one.domain === other.domain,
      ),
    )
    .sort((a, b) => a.from - b.from)
  const long = all.filter(({ from, to }) => to - from >= args.leastMinutes * 60_000)
  return {
    ...about(zone, use),
    date,
    activeMinutes: toMinutes(activeMs(use)),
    hours: hoursLine(use, range),
    count: long.length,
    shorter: all.length - long.length,
    spans: long.slice(0, args.limit).map((span) => ({
      from: instantText(span.from, zone),
      to: instantText(span.to, zone),
      fromLocal: clockText(span.from, zone),
      toLocal: clockText(span.to, zone),
      minutes: toMinutes(span.to - span.from),
      app: span.app,
      category: categorise(span),
      title: span.title,
    })),
  }
}

async function rulesCheck(args: Args<'rules_check'>, context: ActionContext) {
  assertKnown(
    args.source,
    args.limits.map(({ by }) => by),
  )
  const { zone, asking, categorise, read } = open(context, args)
  const date = dateOf(args.date, asking)
  const use = await read(
    dayRange(date, zone),
    args.limits.map(({ by }) => by),
  )
  const checks = args.limits.map((limit) => checkLimit(use, limit, categorise))
  const over = checks.filter((one) => one.over)
  return {
    ...about(zone, use),
    date,
    activeMinutes: toMinutes(activeMs(use)),
    overCount: over.length,
    checks,
    over,
  }
}

export const agent = defineAgent(manifest, {
  top,
  focus,
  compare,
  timeline,
  rules_check: rulesCheck,
})
