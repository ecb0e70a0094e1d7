// The feeds agent: subscriptions and their latest items in a folder of its own. subscribe.ts changes
// what is followed, refresh.ts asks the servers, reading.ts reads what was kept; this file only binds
// them to the manifest.

import { defineAgent } from '../define-agent.ts'
import { manifest } from './manifest.ts'
import { digest, list, search } from './reading.ts'
import { fetchNew } from './refresh.ts'
import { revert, subscribe, unsubscribe } from './subscribe.ts'

export const agent = defineAgent(manifest, {
  subscribe,
  unsubscribe: async (args, context) => unsubscribe(args, context),
  revert: async (args, context) => revert(args, context),
  list: async (_args, context) => list(context),
  search: async (args, context) => search(args, context),
  digest: async (args, context) => digest(args, context),
  fetch_new: fetchNew,
})
