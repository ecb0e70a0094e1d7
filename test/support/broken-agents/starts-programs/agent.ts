// It would start another program.

import { execFileSync } from 'node:child_process'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('starts-programs'), {
  ...boxHandlers,
  show: async (args, context) => {
    if (args.name === 'programs') return { text: execFileSync('date', { encoding: 'utf8' }) }
    return boxHandlers.show(args, context)
  },
})
