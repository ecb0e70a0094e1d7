// Its result holds what looks like a credential, in a place that quotes nobody.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('secret-result')
const { quotes: _quotes, ...show } = manifest.actions.show

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, show } },
  { ...boxHandlers, show: async () => ({ text: `-----BEGIN ${'PRIVATE KEY'}-----` }) },
)
