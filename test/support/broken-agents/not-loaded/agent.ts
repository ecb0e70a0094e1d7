// It breaks while it is loaded.

import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

const [first] = new Map<string, string>().values()
// What a file that is not there would do.
if (first === undefined) throw new Error('broken while it is loaded')

export const agent = defineAgent(boxManifest('not-loaded'), boxHandlers)
