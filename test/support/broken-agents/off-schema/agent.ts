// Its result has a member more than it declares.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('off-schema'), {
  ...boxHandlers,
  show: async (args, context) => {
    const result = await boxHandlers.show(args, context)
    return { ...result, name: args.name }
  },
})
