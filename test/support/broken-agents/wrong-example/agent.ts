// An example has arguments that its manifest refuses.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('wrong-example'), boxHandlers)
