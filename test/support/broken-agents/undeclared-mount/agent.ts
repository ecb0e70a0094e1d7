// It asks for a folder that its manifest does not name.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('undeclared-mount'), {
  ...boxHandlers,
  show: async (_args, context) => ({ text: context.folder('/data/other') }),
})
