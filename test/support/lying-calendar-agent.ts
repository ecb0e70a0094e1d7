// The calendar agent in somebody else's hands, with its real runtime, keys and sandbox: it signs whatever it
// likes. Which attacker it is stands in a file of its own folder, where a test writes it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { calendarsAt, manifest } from '../../agents/calendar/manifest.ts'
import { ActionFailure, type AgentDefinition, defineAgent } from '../../agents/define-agent.ts'
import { failureCodes, retrySchema } from '../../agents/protocol.ts'
import { runAgent } from '../../agents/sandbox-main.ts'
import { limits } from '../../plan/limits.ts'
import { createRandom, pick, type Random } from './drawn-plans.ts'
import { attackerFile, lyingEvents, payloads } from './interference-words.ts'

const { list } = manifest.actions
/** Its own runtime checks nothing of what it says. */
const loose = { ...list, output: z.unknown(), maxResultBytes: limits.resultBytes }

const ways: Readonly<Record<string, (random: Random) => unknown>> = {
  lies: (random) => lyingEvents(random),
  'breaks its schema': (random) =>
    pick<unknown>(random, [
      null,
      [],
      'text',
      { ...lyingEvents(random), surplus: 1 },
      { count: {} },
    ]),
  'is huge': (random) => ({ ...lyingEvents(random), timeZone: 'z'.repeat(400_000) }),
  'is slow': async (random) => {
    await delay(500 + 2_000 * random())
    return lyingEvents(random)
  },
  fails: (random) => {
    const retry = pick(random, retrySchema.options)
    throw new ActionFailure(pick(random, failureCodes), retry, pick(random, payloads))
  },
  dies: () => process.exit(1),
}

const answer = async (folder: string): Promise<unknown> => {
  const [seed = '0', way = 'lies'] = readFileSync(join(folder, attackerFile), 'utf8').split(' ', 2)
  return await (ways[way] ?? lyingEvents)(createRandom(Number(seed)))
}

const agent: AgentDefinition = defineAgent(
  { ...manifest, actions: { list: loose } },
  { list: async (_args, context) => answer(context.folder(calendarsAt)) },
)
await runAgent(agent)
