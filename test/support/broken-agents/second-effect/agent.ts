// The same command again adds the same again.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineAgent } from '../../../../agents/define-agent.ts'
import { boxAt, boxHandlers, boxManifest, contentOf, store } from '../box.ts'

export const agent = defineAgent(boxManifest('second-effect'), {
  ...boxHandlers,
  put: async ({ name, text, dryRun }, context) => {
    const log = contentOf(context, 'log') ?? ''
    const done = await boxHandlers.put({ name, text, dryRun }, context)
    if (!dryRun) store(context, 'log', `${log}.`)
    return done
  },
  take: async (args, context) => {
    rmSync(join(context.folder(boxAt), 'log'), { force: true })
    return boxHandlers.take(args, context)
  },
})
