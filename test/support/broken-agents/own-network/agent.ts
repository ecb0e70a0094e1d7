// It asks the network beside the gateway.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('own-network'), {
  ...boxHandlers,
  ask: async () => {
    const response = await fetch('https://words.example.org/words/old')
    return { answer: await response.text() }
  },
})
