// Its undo removes what it should put back.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('incomplete-undo'), {
  ...boxHandlers,
  take: (args, context) => boxHandlers.take({ ...args, before: null }, context),
})
