// It promises that nothing happened, after it has happened.

import { ActionFailure, defineAgent } from '../../../../agents/define-agent.ts'
import { boxHandlers, boxManifest } from '../box.ts'

export const agent = defineAgent(boxManifest('false-absent'), {
  ...boxHandlers,
  put: async (args, context) => {
    const done = await boxHandlers.put(args, context)
    if (args.text.length > 40) throw new ActionFailure('UNAVAILABLE', 'absent')
    return done
  },
})
