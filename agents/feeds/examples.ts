// Calls of every action of the feeds, answered by the sample home's servers, for `bulkhead agent check`.

import { z } from 'zod'
import { answerFeed, opmlOf } from '../../examples/home/feeds.ts'
import type { AgentExamples, ExampleServers, SeenWorld } from '../check/examples-contract.ts'
import { feedsAt } from './manifest.ts'

const now = '2026-11-21T08:00:00Z'
const origin = 'https://news.example.org'
const news = { url: `${origin}/feeds/news.rss` }
const subscribed = [{ action: 'subscribe', args: news }] as const

function sampleServers(): ExampleServers {
  return {
    answer({ path, headers = {} }) {
      const reply = answerFeed({ path, headers, now: Date.parse(now), seed: 1 })
      return reply && { ...reply, body: reply.body.toString() }
    },
  }
}

const storeSchema = z.looseObject({ feeds: z.array(z.looseObject({ url: z.string() })) })

/** Who is followed. What was taken back stays on record, and kept items are fetched again. */
function followed({ files }: SeenWorld): readonly string[] {
  const bytes = files.get(`${feedsAt}/subscriptions.json`)
  if (bytes === undefined) return []
  const store = storeSchema.parse(JSON.parse(bytes.toString('utf8')))
  return store.feeds.map(({ url }) => url).sort()
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'servers',
      now,
      folders: { [feedsAt]: {} },
      origins: { feeds: [origin] },
      servers: sampleServers,
      restored: followed,
      calls: {
        subscribe: [
          { args: news },
          { args: { opml: opmlOf(origin) } },
          { args: { url: `${origin}/feeds/gone.rss` }, fails: 'NOT_FOUND' },
          { args: { url: 'https://elsewhere.example.com/news.rss' }, fails: 'UNAVAILABLE' },
          { args: {}, fails: 'INVALID_INPUT' },
        ],
        unsubscribe: [{ before: subscribed, args: news }],
        revert: [
          { before: subscribed, args: (earlier) => ({ change: earlier[0]?.idem }) },
          {
            before: [...subscribed, { action: 'unsubscribe', args: news }],
            args: (earlier) => ({ change: earlier[1]?.idem }),
          },
        ],
        list: [{ before: subscribed, args: {} }],
        search: [{ before: subscribed, args: { query: 'the' } }],
        digest: [{ before: subscribed, args: {} }],
        fetch_new: [{ before: subscribed, args: {} }],
      },
    },
  ],
}
