// The same command again says that it was there before.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest, contentOf } from '../box.ts'

export const agent = defineAgent(boxManifest('second-result'), {
  ...boxHandlers,
  put: async (args, context) => {
    const stored = contentOf(context, args.name)
    return { ...(await boxHandlers.put(args, context)), before: stored }
  },
})
