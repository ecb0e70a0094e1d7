// It brings parts of the check into its bundle.

import { idemOf } from '../../../../agents/check/world.ts'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('holds-the-check'), {
  ...boxHandlers,
  ask: async ({ name }) => ({ answer: idemOf(name) }),
})
