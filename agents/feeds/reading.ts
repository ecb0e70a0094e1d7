// What was kept, read again: a search over it, its titles by feed, the list of feeds. Asks no server.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { readItems } from './kept-items.ts'
import { feedsAt, type manifest } from './manifest.ts'
import { sinceOf } from './since.ts'
import { nameOf, readSubscriptions } from './subscriptions.ts'

type Action = keyof typeof manifest.actions
type Args<Name extends Action> = z.output<(typeof manifest.actions)[Name]['input']>
type Result<Name extends Action> = z.output<(typeof manifest.actions)[Name]['output']>

const hourMs = 3_600_000

/** @throws ActionFailure */
export function list(context: ActionContext): Result<'list'> {
  const { feeds } = readSubscriptions(context.folder(feedsAt))
  return {
    feeds: feeds.map((one) => ({
      ...nameOf(one),
      state: one.state,
      checked: one.checkedAt === null ? null : new Date(one.checkedAt).toISOString(),
      next: new Date(one.nextAt).toISOString(),
      code: one.code,
    })),
  }
}

/** @throws ActionFailure */
export function search(args: Args<'search'>, context: ActionContext): Result<'search'> {
  const since = sinceOf(args.since, 0)
  const matches = allItems(context).filter(
    (item) => Date.parse(item.at) >= since && mentions(item, args.query),
  )
  return { count: matches.length, items: matches.slice(0, args.limit) }
}

/** @throws ActionFailure */
export function digest(args: Args<'digest'>, context: ActionContext): Result<'digest'> {
  const { feeds } = readSubscriptions(context.folder(feedsAt))
  const since = context.now() - args.windowHours * hourMs
  const fresh = allItems(context).filter(
    (item) =>
      Date.parse(item.at) >= since &&
      (args.topics === undefined || args.topics.some((topic) => mentions(item, topic))),
  )
  let room = args.limit
  const groups = feeds.flatMap((subscription) => {
    const items = fresh.filter(({ feed }) => feed === subscription.feed)
    if (items.length === 0) return []
    const shown = items.slice(0, Math.min(args.perFeed, room))
    room -= shown.length
    return [
      {
        ...nameOf(subscription),
        count: items.length,
        items: shown.map(({ title, url, at }) => ({ title, url, at })),
      },
    ]
  })
  return { since: new Date(since).toISOString(), count: fresh.length, feeds: groups }
}

function allItems(context: ActionContext) {
  const folder = context.folder(feedsAt)
  return readItems(folder, readSubscriptions(folder).feeds)
}

function mentions(
  { title, summary, author }: { title: string; summary: string; author: string | null },
  text: string,
): boolean {
  const wanted = text.toLowerCase()
  return [title, summary, author ?? ''].some((part) => part.toLowerCase().includes(wanted))
}
