// An input has no role.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('no-role')
const put = {
  ...manifest.actions.put,
  roles: { '/name': 'control', '/dryRun': 'control' },
} as const

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, put } },
  boxHandlers,
)
