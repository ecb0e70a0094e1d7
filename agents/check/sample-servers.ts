// A server of the sample home as the world of an agent's examples: with the example's clock, and drawn
// from one seed, so that every call of a check is answered alike.

import type { WebReply } from '../../examples/home/feeds.ts'
import type { WeatherRequest } from '../../examples/home/weather.ts'
import type { ExampleServers } from './examples-contract.ts'

/** @param now RFC 3339, as the example's world has it */
export function sampleServers(
  answer: (request: WeatherRequest) => WebReply | undefined,
  now: string,
): () => ExampleServers {
  return () => ({
    answer({ path, query }) {
      const asked = {
        path,
        query: new URLSearchParams({ ...query }),
        now: Date.parse(now),
        seed: 1,
      }
      const reply = answer(asked)
      return reply && { ...reply, body: reply.body.toString() }
    },
  })
}
