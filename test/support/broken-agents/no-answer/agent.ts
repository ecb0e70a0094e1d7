// It never ends.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('no-answer')
const show = { ...manifest.actions.show, timeoutMs: 100 }

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, show } },
  { ...boxHandlers, show: () => new Promise<never>(() => undefined) },
)
