// A household on a whole deployment: the real command, notary, worker and servers, and agents in sandboxes
// of their own that stand in for those to come. Counts what the person was asked.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { bundleAgent } from '../../agents/bundle.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import type { InputValues } from '../../plan/schema.ts'
import { standingOf } from '../../temporal/artifact-calls.ts'
import { runCli } from './cli.ts'
import { runSchema } from './cli-shapes.ts'
import { Connection } from './connection.ts'
import { startDeployment } from './deployment.ts'
import { catalogue, names } from './everyday-recipes.ts'
import type { Day, Ended } from './everyday-world.ts'
import { until } from './observer.ts'

/** A day that is not in memory. */
export interface House extends Omit<Day, 'close'> {
  cancel(): Promise<Ended>
  stop(): Promise<void>
}

const approvals = z.array(
  z.object({
    id: z.string(),
    state: z.string(),
    step: z.string().nullish(),
    schedule: z.string().nullish(),
  }),
)
const triggered = z.object({ requestId: z.string() })
const withinMs = 90_000

export async function startHouse(): Promise<House> {
  const base = mkdtempSync(join(tmpdir(), 'bulkhead-everyday-'))
  const state = join(base, 'state')
  mkdirSync(state, { mode: 0o700 })
  const deployment = await startDeployment({
    state,
    home: { yaml: yamlOf() },
    agents: [...catalogue.keys()],
    bundles: await bundleAll(base),
    notaryEntry: join(import.meta.dirname, 'everyday-notary-main.ts'),
    workerEntry: join(import.meta.dirname, 'everyday-worker-main.ts'),
  })
  const connection = new Connection(state)
  const cli = async (...words: readonly string[]) => {
    const { stdout, stderr } = await runCli([...words, '--state', state, '--json'])
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as unknown
  }
  const everyQuestion = async () => approvals.parse(await cli('approvals', '--all'))
  const show = async (requestId: string) => runSchema.parse(await cli('runs', 'show', requestId))

  /** Decides what it is asked, for what it asks. */
  const toEnd = async (requestId: string): Promise<Ended> => {
    let ended: Ended | undefined
    const isOver = async (): Promise<boolean> => {
      const { status, steps } = await show(requestId)
      if (status === 'waiting-approval') await approveAll()
      if (status === 'running' || status === 'waiting-approval') return false
      const did = steps.filter(({ effect, outcome }) => effect !== 'read' && outcome === 'settled')
      ended = { status, done: did.map(({ agent, action }) => `${agent}.${action}`) }
      return true
    }
    await until(`the run ${requestId} is over`, isOver, withinMs)
    if (ended === undefined) throw new Error('unreachable: it is over')
    return ended
  }
  const approveAll = async () => {
    for (const { id, state: now } of await everyQuestion()) {
      if (now === 'open') await cli('approve', id)
    }
  }

  let requests = 0
  let last = ''
  return {
    async ask(source, inputs: InputValues = {}) {
      requests += 1
      last = `r-${requests}`
      const recipe = { kind: 'recipe', name: nameOf(source), source, inputs } as const
      await connection.use(async (session) => {
        const stored = await session.putRequest(last, JSON.stringify(recipe))
        if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
        const about = { requestId: last, ...recipe, priority: 'MEDIUM' } as const
        const registered = await session.request(about)
        if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
        await session.runs.submit({ requestId: last, requestRef: stored.ref, recipe: recipe.name })
      })
      return await toEnd(last)
    },
    async enable(source) {
      const name = nameOf(source)
      const recipe = { kind: 'recipe', name, source, inputs: {} } as const
      const spec = toScheduleSpec({ at: '07:00', zone: 'Europe/Vienna' })
      const policy = { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 } as const
      await connection.use(async (session) => {
        const stored = await session.putRequest(standingOf(name), JSON.stringify(recipe))
        if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
        const about = { id: name, spec, policy, note: '', priority: 'MEDIUM' } as const
        const reply = await session.schedule({ op: 'add', ...recipe, ...about })
        if (reply.status !== 'REGISTERED') throw new Error(JSON.stringify(reply))
        const asked = { paused: false, requestRef: stored.ref, recipe: name }
        await session.runs.schedules.put({ ...about, ...asked })
      })
      await approveAll()
    },
    async fire(source) {
      const { requestId } = triggered.parse(await cli('schedule', 'trigger', nameOf(source)))
      return await toEnd(requestId)
    },
    async asked() {
      const all = await everyQuestion()
      return all.map(({ step, schedule }) => step ?? schedule ?? 'the plan')
    },
    async cancel() {
      await cli('runs', 'cancel', last)
      await until('it is cancelled', async () => (await show(last)).status === 'cancelled')
      return await toEnd(last)
    },
    async stop() {
      await connection.close()
      await deployment.stop().finally(() => rmSync(base, { recursive: true, force: true }))
    },
  }
}

function yamlOf(): string {
  const agents = Object.fromEntries([...catalogue.keys()].map((name) => [name, {}]))
  return `${JSON.stringify({ timezone: 'Europe/Vienna', ...names, agents })}\n`
}

/** One bundle for each agent: an agent knows its own name. */
async function bundleAll(base: string): Promise<Record<string, string>> {
  const shared = JSON.stringify(join(import.meta.dirname, 'everyday-agent.ts'))
  const bundles: Record<string, string> = {}
  for (const name of catalogue.keys()) {
    const entry = join(base, `${name}.ts`)
    writeFileSync(
      entry,
      `import { everydayAgent } from ${shared}\nexport const agent = everydayAgent('${name}')\n`,
    )
    bundles[name] = join(base, `${name}.mjs`)
    await bundleAgent(entry, bundles[name])
  }
  return bundles
}

function nameOf(source: string): string {
  return /^name: (\S+)$/m.exec(source)?.[1] ?? ''
}
