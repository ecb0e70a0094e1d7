// It labels what its result does not have.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('label-nowhere')
const ask = { ...manifest.actions.ask, labels: { '/reply': { readers: 'PUBLIC' } } } as const

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, ask } },
  boxHandlers,
)
