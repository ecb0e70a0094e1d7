// Its parser breaks on texts that are no regular expressions.

import { z } from 'zod'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const manifest = boxManifest('crashing-input')
const text = z.string().refine((one) => new RegExp(one).source !== '')
const { name, dryRun } = manifest.actions.put.input.shape
const put = { ...manifest.actions.put, input: z.strictObject({ name, text, dryRun }) }

export const agent = defineAgent(
  { ...manifest, actions: { ...manifest.actions, put } },
  boxHandlers,
)
