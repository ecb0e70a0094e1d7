// It makes code from a string, which no sandbox lets it.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('makes-code'), {
  ...boxHandlers,
  show: async (args, context) => {
    const { text } = await boxHandlers.show(args, context)
    // biome-ignore lint/security/noGlobalEval: what is wrong with it
    return { text: String(globalThis.eval(JSON.stringify(text))) }
  },
})
