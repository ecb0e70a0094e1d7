// One of its actions may take longer than any may.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { defineManifest } from '../../../../plan/manifest.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('long-time')
const show = { ...manifest.actions.show, timeoutMs: 86_400_000 }

export const agent = defineAgent(
  defineManifest({ ...manifest, actions: { ...manifest.actions, show } }),
  boxHandlers,
)
