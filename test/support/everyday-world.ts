// A day of a household in memory: a person who registers requests and schedules, is asked and decides, a
// real notary, and runs whose agents answer plainly. Counts what the person was asked.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CompileContext, compileSource } from '../../plan/compile.ts'
import { firingId, inputsOfFiring } from '../../plan/firing.ts'
import type { Catalogue } from '../../plan/manifest.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import type { InputValues } from '../../plan/schema.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'
import { askingHarness, openQuestions, say } from '../notary/approvals.ts'
import { catalogue as everyday, names } from './everyday-recipes.ts'
import { valueOfSchema } from './interference-values.ts'
import { createAgents, type Done } from './memory-agents.ts'
import { runInMemory } from './memory-run.ts'
import { decide } from './policy.ts'

export interface Day {
  /** A request of the person's, to its end. */
  ask(source: string, inputs?: InputValues): Promise<Ended>
  /** Has it run at seven each day, or on Mondays; the person decides what they are asked. */
  enable(source: string): Promise<void>
  /** The next time that it is due. */
  fire(source: string): Promise<Ended>
  /** Everything that the person was asked since the beginning, by what it was about. */
  asked(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface Ended {
  readonly status: string
  /** What was done besides reading: `mail.send`. */
  readonly done: readonly string[]
}

const zone = 'Europe/Vienna'
const dayMs = 86_400_000

export interface DayOptions {
  readonly catalogue?: Catalogue
  /** A word of an agent's. */
  readonly word?: () => string
  /** Of each list that an agent gives: how many there are. */
  readonly items?: number
  /** What an action gives, by `agent.action`, where a word will not do. */
  readonly answers?: Readonly<Record<string, JsonValue>>
}

export async function beginDay({
  catalogue = everyday,
  word = () => 'plain words',
  items = 1,
  answers = {},
}: DayOptions = {}): Promise<Day> {
  const harness = await askingHarness({ catalogue, names })
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-everyday-'))
  // Six in the morning in Vienna, in a winter.
  harness.clock.time = Date.parse('2027-02-01T05:00:00Z')
  for (const [agent, { perUser }] of catalogue) {
    // What is one's own has replicas of one's own, which nobody here has.
    if (perUser !== true) await harness.boot({ agent, bootEpoch: `epoch-${agent}-1` })
  }
  const compiling = { catalogue, decide, names } satisfies Partial<CompileContext>
  let requests = 0
  let due = Date.parse('2027-02-01T06:00:00Z')

  const person = async (): Promise<readonly string[]> => {
    const open = await openQuestions(harness)
    for (const { id } of open) {
      const reply = await say(harness, id)
      if (reply.status !== 'DECIDED') throw new Error(JSON.stringify(reply))
    }
    return open.map(({ id }) => id)
  }

  const carryOut = async (
    source: string,
    requestId: string,
    inputs: InputValues,
  ): Promise<Ended> => {
    const compiled = compileSource({ kind: 'recipe', source, inputs, ...compiling })
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
    const { plan, digest } = compiled
    let admitted = await harness.notary.admit('worker', { requestId, plan })
    if (admitted.status === 'APPROVAL') {
      await person()
      admitted = await harness.notary.admit('worker', { requestId, plan })
    }
    if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))
    const done: Done[] = []
    const staff = {
      catalogue,
      honest(agent: string, action: string) {
        const output = catalogue.get(agent)?.actions[action]?.output
        if (output === undefined) throw new Error(`nobody declares ${agent}.${action}`)
        return answers[`${agent}.${action}`] ?? valueOfSchema(output, word, items)
      },
    }
    const { at } = admitted
    const agentsAt = createAgents(harness, staff, done)
    const run = { harness, catalogue, requestId, plan, digest, at, folder, agentsAt, person }
    const status = await runInMemory(run)
    const effects = done.filter((one) => {
      return catalogue.get(one.agent)?.actions[one.action]?.effect !== 'read'
    })
    return { status, done: effects.map(({ agent, action }) => `${agent}.${action}`) }
  }

  const nameOf = (source: string) => /^name: (\S+)$/m.exec(source)?.[1] ?? ''
  return {
    async ask(source, inputs = {}) {
      requests += 1
      const requestId = `r-${requests}`
      const about = { requestId, kind: 'recipe', name: nameOf(source), source, inputs }
      const registered = await harness.notary.request('cli', { ...about, priority: 'MEDIUM' })
      if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
      return await carryOut(source, requestId, inputs)
    },
    async enable(source) {
      const about = { kind: 'recipe', name: nameOf(source), source, inputs: {}, priority: 'MEDIUM' }
      const reply = await harness.notary.schedule('cli', {
        ...{ op: 'add', id: nameOf(source), ...about, note: '' },
        spec: toScheduleSpec({ at: '07:00', zone }),
        policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
      })
      if (reply.status !== 'REGISTERED') throw new Error(JSON.stringify(reply))
      await person()
    },
    async fire(source) {
      harness.clock.time = due
      const requestId = firingId({ schedule: nameOf(source), at: due })
      const inputs = inputsOfFiring({ kind: 'recipe', source, inputs: {} }, { zone, at: due })
      due += dayMs
      return await carryOut(source, requestId, inputs)
    },
    async asked() {
      const reply = await harness.notary.approve('cli', { op: 'list', all: true, limit: 500 })
      if (reply.status !== 'APPROVALS') throw new Error(JSON.stringify(reply))
      return reply.approvals.map(({ step, schedule }) => step ?? schedule ?? 'the plan')
    },
    async close() {
      await harness.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
