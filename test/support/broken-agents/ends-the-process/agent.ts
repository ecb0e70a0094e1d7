// It ends the process that it runs in.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('ends-the-process'), {
  ...boxHandlers,
  show: async () => process.exit(0),
})
