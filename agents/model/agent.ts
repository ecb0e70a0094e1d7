// The agent of language models: it asks and holds answers to their bounds, and keeps nothing. Who may see
// a question, what it may cost and whether it is asked at all was decided before it got here.

import { defineAgent } from '../define-agent.ts'
import { compose } from './compose.ts'
import { embed } from './embed.ts'
import { extract } from './extract.ts'
import { manifest } from './manifest.ts'
import { propose } from './propose.ts'

export const agent = defineAgent(manifest, { propose, extract, compose, embed })
