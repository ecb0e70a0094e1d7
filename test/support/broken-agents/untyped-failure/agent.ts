// It breaks on texts that are not percent-encoded.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('untyped-failure'), {
  ...boxHandlers,
  put: (args, context) =>
    boxHandlers.put({ ...args, text: decodeURIComponent(args.text) }, context),
})
