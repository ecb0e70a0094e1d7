// Looks at a deployment from outside, as its parties and its owner can: what the supervisor says over
// the control socket, what it answers on the bus, what it told the notary's stand-in.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { ensureReplySchema, type Reply, replySchema } from '../../agents/protocol.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { type DeploymentOptions, stubParty, type TestDeployment } from './deployment.ts'

/** A deployment of the test agent whose notary and worker are stand-ins. */
export const stubs: DeploymentOptions = {
  agents: ['test'],
  notaryEntry: stubParty,
  workerEntry: stubParty,
}
const head = { receiver: 'supervisor', type: 'TASK_REQUEST', correlationId: '' } as const

const callSchema = z.object({
  call: z.string(),
  payload: z.looseObject({
    agent: z.string().optional(),
    bootEpoch: z.string().optional(),
    running: z.boolean().optional(),
    subject: z.string().optional(),
  }),
})
const statusSchema = z.object({
  ready: z.boolean(),
  processes: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      pid: z.number().nullable(),
      restarts: z.number(),
      sinceMs: z.number(),
    }),
  ),
  links: z.record(z.string(), z.string()),
})

/** What the notary's stand-in was told. */
export function told(state: string) {
  const file = join(state, 'notary', 'calls.ndjson')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  return lines.map((line) => callSchema.parse(JSON.parse(line)))
}

export function boots(state: string) {
  return told(state)
    .filter(({ call }) => call === 'boot')
    .map(({ payload }) => ({ bootEpoch: payload.bootEpoch, running: payload.running }))
}

export const ensure = (bus: Bus, agent = 'test') =>
  bus.call(
    'supervisor.ensure',
    head,
    { agent, n: 0 },
    { reply: ensureReplySchema, timeoutMs: 30_000 },
  )

export async function ensured(bus: Bus): Promise<string> {
  const reply = await ensure(bus)
  if (reply.status !== 'RUNNING') throw new Error(JSON.stringify(reply))
  return reply.bootEpoch
}

export const health = (bus: Bus): Promise<Reply> =>
  bus.call('agent.test.0.exec', head, { op: 'health' }, { reply: replySchema, timeoutMs: 5_000 })

export const worker = (deployment: TestDeployment) =>
  connectBus({ credentials: join(deployment.state, 'worker', 'bus'), reconnect: true })

export async function statusOf(deployment: TestDeployment) {
  return statusSchema.parse((await deployment.control('GET', '/status')).body)
}

export async function processOf(deployment: TestDeployment, name: string) {
  const found = (await statusOf(deployment)).processes.find((process) => process.name === name)
  if (found === undefined) throw new Error(`no process ${name}`)
  return found
}

export async function until(what: string, isSo: () => Promise<boolean> | boolean, ms = 15_000) {
  for (let waited = 0; !(await isSo()); waited += 20) {
    if (waited > ms) throw new Error(`not in time: ${what}`)
    await delay(20)
  }
}
