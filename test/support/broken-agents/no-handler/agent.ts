// An action that it declares has no handler.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const whole = defineAgent(boxManifest('no-handler'), boxHandlers)

export const agent = {
  ...whole,
  actions: new Map([...whole.actions].filter(([name]) => name !== 'show')),
}
