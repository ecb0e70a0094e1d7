// Changes of what is followed, and how they are taken back. Invariant: a command that is repeated
// finds its own mark in the file and changes nothing; `revert` undoes exactly what bears the mark of
// the command that it names.

import type { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { parseFeedText, parseOpmlText } from './feed-text.ts'
import { parseFeedUrl, queryOf } from './feed-url.ts'
import { lookAt } from './fetch-feed.ts'
import { keepItems, sweepItems } from './kept-items.ts'
import { feedsAt, type manifest } from './manifest.ts'
import { afterFresh } from './refresh.ts'
import {
  changeSubscriptions,
  isAt,
  nameOf,
  newSubscription,
  readSubscriptions,
  requireRoom,
  type Subscription,
  type Subscriptions,
} from './subscriptions.ts'

type Action = keyof typeof manifest.actions
type Args<Name extends Action> = z.output<(typeof manifest.actions)[Name]['input']>
type Result<Name extends Action> = z.output<(typeof manifest.actions)[Name]['output']>

/** @throws ActionFailure */
export async function subscribe(
  args: Args<'subscribe'>,
  context: ActionContext,
): Promise<Result<'subscribe'>> {
  const { url, opml, dryRun } = args
  if ((url === undefined) === (opml === undefined)) {
    throw new ActionFailure('INVALID_INPUT', 'final', 'either url or opml')
  }
  const folder = context.folder(feedsAt)
  const before = readSubscriptions(folder)
  const mine = before.feeds.filter(({ change }) => change === context.idem)
  if (mine.length > 0) return report(mine, before.feeds.length - mine.length)
  const wanted =
    opml === undefined
      ? [newSubscription({ url: addressOf(url ?? ''), title: '' }, context.idem)]
      : parseOpmlText(opml).map((outline) => newSubscription(outline, context.idem))
  const fresh = wanted.filter((one) => !isFollowed(before, one.url))
  requireRoom(withAdded(before, fresh))
  const added =
    opml === undefined
      ? await Promise.all(fresh.map((one) => firstLook(one, context, { dryRun })))
      : fresh
  if (dryRun || added.length === 0) return report(added, before.feeds.length)
  // Looked at again: another command may have come between.
  changeSubscriptions(folder, (present) => withAdded(present, added))
  return report(added, before.feeds.length)
}

function report(added: readonly Subscription[], feedsBefore: number): Result<'subscribe'> {
  return {
    outcome: added.length > 0 ? 'subscribed' : 'already-subscribed',
    added: added.map(nameOf),
    ...counted(feedsBefore, feedsBefore + added.length),
  }
}

function counted(before: number, after: number) {
  return { before: { feeds: before }, after: { feeds: after } }
}

function addressOf(text: string): string {
  const url = parseFeedUrl(text)
  if (url === undefined || queryOf(url) === undefined) {
    throw new ActionFailure('INVALID_INPUT', 'final', 'not the address of a feed')
  }
  return url.href
}

/** A feed that is gone is not followed: subscribing to its address again tries it again. */
function isFollowed({ feeds }: Subscriptions, url: string): boolean {
  return feeds.some((one) => one.state === 'active' && isAt(one, url))
}

function withAdded(before: Subscriptions, added: readonly Subscription[]): Subscriptions {
  const missing = added.filter((one) => !isFollowed(before, one.url))
  const replaced = new Set(missing.map(({ feed }) => feed))
  return {
    ...before,
    feeds: [...before.feeds.filter(({ feed }) => !replaced.has(feed)), ...missing],
  }
}

/** Only what is a feed now can be subscribed to by its address. */
async function firstLook(
  subscription: Subscription,
  context: ActionContext,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Subscription> {
  const look = await lookAt(context, subscription)
  switch (look.kind) {
    case 'gone':
      throw new ActionFailure('NOT_FOUND', 'final', 'the feed is gone for good')
    case 'later':
    case 'unchanged':
      throw new ActionFailure('UNAVAILABLE', 'absent', 'the server asks for patience')
    case 'fresh': {
      const parsed = parseFeedText(look.text, look.base)
      const now = context.now()
      if (!dryRun) keepItems(context.folder(feedsAt), subscription.feed, parsed, now)
      return afterFresh(subscription, { known: look.known, parsed, now })
    }
    default:
      return look satisfies never
  }
}

/** @throws ActionFailure */
export function unsubscribe(
  { url, dryRun }: Args<'unsubscribe'>,
  context: ActionContext,
): Result<'unsubscribe'> {
  const folder = context.folder(feedsAt)
  const { feeds, removed } = readSubscriptions(folder)
  const mine = removed.find(({ change }) => change === context.idem)
  const subscription = mine?.subscription ?? feeds.find((one) => isAt(one, addressOf(url)))
  const feedsBefore = feeds.length + (mine === undefined ? 0 : 1)
  if (subscription === undefined) {
    return { outcome: 'not-there', removed: null, ...counted(feedsBefore, feedsBefore) }
  }
  if (!dryRun && mine === undefined) {
    changeSubscriptions(folder, (present) => ({
      ...present,
      feeds: present.feeds.filter(({ feed }) => feed !== subscription.feed),
      removed: [
        ...present.removed,
        { change: context.idem, subscription, at: placeOf(present, subscription) },
      ],
    }))
    sweepItems(folder)
  }
  return {
    outcome: 'unsubscribed',
    removed: nameOf(subscription),
    ...counted(feedsBefore, feedsBefore - 1),
  }
}

function placeOf({ feeds }: Subscriptions, { feed }: Subscription): number {
  return feeds.findIndex((one) => one.feed === feed)
}

/** @throws ActionFailure */
export function revert(
  { change, dryRun }: Args<'revert'>,
  context: ActionContext,
): Result<'revert'> {
  const folder = context.folder(feedsAt)
  const before = readSubscriptions(folder)
  const next = reverted(before, change)
  const counts = counted(before.feeds.length, next.feeds.length)
  if (next === before) {
    const outcome = before.reverted.includes(change) ? 'reverted' : 'not-applied'
    return { outcome, ...counts }
  }
  requireRoom(next)
  if (!dryRun) {
    changeSubscriptions(folder, (present) => reverted(present, change))
    sweepItems(folder)
  }
  return { outcome: 'reverted', ...counts }
}

/** The same object when that change left nothing to take back. */
function reverted(before: Subscriptions, change: string): Subscriptions {
  const added = before.feeds.filter((one) => one.change === change)
  const taken = before.removed.filter((one) => one.change === change)
  if (added.length === 0 && taken.length === 0) return before
  const feeds = before.feeds.filter((one) => one.change !== change)
  for (const { subscription, at = feeds.length } of taken) {
    const isThere = feeds.some(({ feed }) => feed === subscription.feed)
    if (!isThere) feeds.splice(at, 0, subscription)
  }
  return {
    ...before,
    feeds,
    removed: before.removed.filter((one) => one.change !== change),
    reverted: [...before.reverted, change],
  }
}
