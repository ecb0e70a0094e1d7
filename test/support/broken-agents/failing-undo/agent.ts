// Its undo fails when it is one.

import { ActionFailure, defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('failing-undo'), {
  ...boxHandlers,
  take: async (args, context) => {
    if (context.kind === 'undo') throw new ActionFailure('UNAVAILABLE', 'final')
    return boxHandlers.take(args, context)
  },
})
