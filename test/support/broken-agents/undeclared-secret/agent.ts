// It asks for a secret that its manifest does not name, and goes on without it.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('undeclared-secret'), {
  ...boxHandlers,
  take: async (args, context) => {
    try {
      context.secret('password')
    } catch {
      // Nobody hears of it from the handler.
    }
    return boxHandlers.take(args, context)
  },
})
