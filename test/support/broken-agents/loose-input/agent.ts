// It takes a truth value for a text.

import { z } from 'zod'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('loose-input')
const show = {
  ...manifest.actions.show,
  input: z.strictObject({ name: z.coerce.string().regex(/^[a-z]{1,20}$/) }),
}

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, show } },
  boxHandlers,
)
