// It says that it has put a text somewhere, and has not.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('does-nothing'), {
  ...boxHandlers,
  put: async ({ name, text }) => ({ name, before: null, after: text }),
})
