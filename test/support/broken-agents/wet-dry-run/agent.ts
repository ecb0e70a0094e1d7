// A dry run of it is as wet as any.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('wet-dry-run'), {
  ...boxHandlers,
  put: (args, context) => boxHandlers.put({ ...args, dryRun: false }, context),
})
