// Looks at the feeds that are due: a few at once, the longest unseen first, each for a few seconds,
// until the time of the command is nearly over. A feed that fails is reported and tried later and
// later; it never fails the others. Servers that ask for patience get it.

import type { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { type ParsedFeed, parseFeedText } from './feed-text.ts'
import { type Known, lookAt } from './fetch-feed.ts'
import { keepItems, readItems } from './kept-items.ts'
import { feedsAt, type manifest } from './manifest.ts'
import { sinceOf } from './since.ts'
import {
  changeSubscriptions,
  nameOf,
  readSubscriptions,
  type Subscription,
} from './subscriptions.ts'

/** A look that is given up goes on at the gateway, which serves eight of one agent at once. */
const atOnce = 4
/** A server slower than this is treated as down. */
const lookMs = 5_000
/** No look begins later than this after the first, so that the last still ends within `timeoutMs`. */
const startMs = 7_000
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** However often a feed wants to be asked, and however often a person asks for news. */
const minIntervalMs = 10 * minuteMs

type Input = z.output<(typeof manifest.actions.fetch_new)['input']>
type Output = z.output<(typeof manifest.actions.fetch_new)['output']>

type Outcome = 'fresh' | 'unchanged' | 'gone' | 'failed'
interface Checked {
  readonly outcome: Outcome
  readonly subscription: Subscription
}

/** @throws ActionFailure */
export async function fetchNew(args: Input, context: ActionContext): Promise<Output> {
  const folder = context.folder(feedsAt)
  const wanted = chosen(readSubscriptions(folder).feeds, args.feeds)
  const now = context.now()
  const since = sinceOf(args.since, now - dayMs)
  const due = wanted
    .filter(({ state, nextAt }) => state === 'active' && nextAt <= now)
    .sort((left, right) => (left.checkedAt ?? 0) - (right.checkedAt ?? 0))
  const checked = await checkAll(due, context)
  if (checked.length > 0) remember(folder, checked)
  const feeds = chosen(readSubscriptions(folder).feeds, args.feeds, { lenient: true })
  const items = readItems(folder, feeds).filter(({ at }) => Date.parse(at) >= since)
  const having = (outcome: Outcome) => checked.filter((one) => one.outcome === outcome)
  return {
    since: new Date(since).toISOString(),
    checked: checked.length,
    unchanged: having('unchanged').length,
    pending: due.length - checked.length,
    failed: having('failed').map(({ subscription }) => ({
      ...nameOf(subscription),
      code: subscription.code ?? 'UNAVAILABLE',
    })),
    gone: having('gone').map(({ subscription }) => nameOf(subscription)),
    count: items.length,
    items: items.slice(0, args.limit),
  }
}

function chosen(
  feeds: readonly Subscription[],
  ids: readonly string[] | undefined,
  { lenient } = { lenient: false },
): readonly Subscription[] {
  if (ids === undefined) return feeds
  const found = feeds.filter(({ feed }) => ids.includes(feed))
  if (!lenient && found.length < new Set(ids).size) {
    throw new ActionFailure('NOT_FOUND', 'final', 'no such feed')
  }
  return found
}

async function checkAll(
  due: readonly Subscription[],
  context: ActionContext,
): Promise<readonly Checked[]> {
  const queue = [...due]
  const checked: Checked[] = []
  // Durations are of the process clock: the action's may stand still.
  const begun = performance.now()
  const work = async () => {
    for (;;) {
      const isTimeUp = performance.now() - begun > startMs || context.signal?.aborted === true
      const next = isTimeUp ? undefined : queue.shift()
      if (next === undefined) return
      checked.push(await check(next, context))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return checked
}

async function check(subscription: Subscription, context: ActionContext): Promise<Checked> {
  const now = context.now()
  try {
    const look = await within(lookMs, lookAt(context, subscription))
    switch (look.kind) {
      case 'fresh': {
        const parsed = parseFeedText(look.text, look.base)
        keepItems(context.folder(feedsAt), subscription.feed, parsed, now)
        const next = afterFresh(subscription, { known: look.known, parsed, now })
        return { outcome: 'fresh', subscription: next }
      }
      case 'unchanged': {
        const next = afterSuccess({ ...subscription, ...look.known }, now, null)
        return { outcome: 'unchanged', subscription: next }
      }
      case 'gone':
        return { outcome: 'gone', subscription: { ...subscription, state: 'gone', checkedAt: now } }
      case 'later':
        return afterFailure(subscription, { code: 'UNAVAILABLE', now, waitMs: look.waitMs })
      default:
        return look satisfies never
    }
  } catch (error) {
    if (!(error instanceof ActionFailure)) throw error
    return afterFailure(subscription, { code: error.code, now, waitMs: null })
  }
}

/** The subscription after a look that brought the feed. */
export function afterFresh(
  subscription: Subscription,
  { known, parsed, now }: { known: Known; parsed: ParsedFeed; now: number },
): Subscription {
  const title = parsed.title
  return afterSuccess({ ...subscription, ...known, title }, now, parsed.intervalMs)
}

function afterSuccess(
  subscription: Subscription,
  now: number,
  intervalMs: number | null,
): Subscription {
  const nextAt = now + Math.min(Math.max(intervalMs ?? 0, minIntervalMs), dayMs)
  return { ...subscription, checkedAt: now, nextAt, failures: 0, code: null }
}

function afterFailure(
  subscription: Subscription,
  { code, now, waitMs }: { code: string; now: number; waitMs: number | null },
): Checked {
  const failures = subscription.failures + 1
  const backOffMs = Math.min(minIntervalMs * 2 ** Math.min(failures - 1, 10), dayMs)
  const nextAt = now + Math.max(waitMs ?? backOffMs, minIntervalMs)
  return {
    outcome: 'failed',
    subscription: { ...subscription, checkedAt: now, nextAt, failures, code },
  }
}

/** Feeds that were unsubscribed meanwhile stay so. */
function remember(folder: string, checked: readonly Checked[]): void {
  const byFeed = new Map(checked.map(({ subscription }) => [subscription.feed, subscription]))
  changeSubscriptions(folder, (present) => ({
    ...present,
    feeds: present.feeds.map((one) => {
      const seen = byFeed.get(one.feed)
      return seen?.change === one.change ? seen : one
    }),
  }))
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const failure = new ActionFailure('UNAVAILABLE', 'absent', `no answer in ${ms} ms`)
    timer = setTimeout(() => reject(failure), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
