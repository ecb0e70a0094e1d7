// It counts its readers.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest, contentOf, store } from '../box.ts'

export const agent = defineAgent(boxManifest('reading-writes'), {
  ...boxHandlers,
  show: async (args, context) => {
    const result = await boxHandlers.show(args, context)
    store(context, 'readers', `${contentOf(context, 'readers') ?? ''}.`)
    return result
  },
})
