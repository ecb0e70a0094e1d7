// It reads what is no business of it.

import { readFileSync } from 'node:fs'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('reads-outside'), {
  ...boxHandlers,
  show: async () => ({ text: readFileSync('/etc/hostname', 'utf8') }),
})
