// It asks for a path that its manifest does not let it ask for.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('undeclared-host'), {
  ...boxHandlers,
  ask: async (_args, context) => {
    const path = '/everything'
    const { body } = await context.fetch({ egress: 'words', method: 'GET', path, maxBytes: 1_000 })
    return { answer: body }
  },
})
