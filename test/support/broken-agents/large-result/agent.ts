// Its result is larger than it declares.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('large-result')
const show = { ...manifest.actions.show, maxResultBytes: 100 }

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, show } },
  { ...boxHandlers, show: async () => ({ text: 'x'.repeat(100) }) },
)
