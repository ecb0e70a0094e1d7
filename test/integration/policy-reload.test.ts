// A policy of one's own on a running platform: compiled by OPA, handed out, taken up by notary and worker
// without a restart, and kept where the next one is wrong.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { policyInUseSchema } from '../../security/policy/in-use.ts'
import { runCli } from '../support/cli.ts'
import { prepareDeployment, startDeployment, type TestDeployment } from '../support/deployment.ts'
import { locateOpa, opaTimeoutMs } from '../support/opa.ts'

const statusSchema = z.object({ policy: policyInUseSchema })
const reloadSchema = policyInUseSchema.extend({
  previous: z.string(),
  worker: z.enum(['taken', 'behind']),
})
const budgetSchema = z.object({
  lines: z.array(
    z.object({
      unit: z.string(),
      agent: z.string().nullable(),
      day: z.number(),
      month: z.number(),
      perDay: z.number().nullable(),
    }),
  ),
})
const refusalSchema = z.object({ code: z.string(), message: z.string(), next: z.string() })

let home: string
let platform: TestDeployment
const rules = () => join(home, 'rules')
const plan = `version: 1
goal: Keep a line
steps:
  - { id: keep, agent: notes, action: append, args: { note: daily, text: kept } }
answer: { from: [keep] }
`
const putRule = (text: string) => writeFileSync(join(rules(), 'house.rego'), text)
const inForce = async () => {
  const { body } = await platform.control('GET', '/status')
  return statusSchema.parse(body).policy
}
const reload = () => platform.control('POST', '/policy/reload')
const pidOf = async (wanted: string) =>
  z
    .object({ processes: z.array(z.object({ name: z.string(), pid: z.number().nullable() })) })
    .parse((await platform.control('GET', '/status')).body)
    .processes.find(({ name }) => name === wanted)?.pid
const runPlan = () => runCli(['run', join(home, 'plan.yaml'), '--state', platform.state, '--json'])

beforeAll(async () => {
  await locateOpa()
  home = mkdtempSync(join(tmpdir(), 'bulkhead-policy-home-'))
  mkdirSync(rules())
  putRule('package household\n\ndeny contains "notes" if input.agent == "notes"\n')
  writeFileSync(join(home, 'plan.yaml'), plan)
  const state = join(home, 'state')
  mkdirSync(state, { mode: 0o700 })
  const { configFile } = await prepareDeployment({ state, home: 'sample' })
  appendFileSync(configFile, `policy:\n  bundle: ${rules()}\n`)
  platform = await startDeployment({ state, home: 'sample' })
}, opaTimeoutMs)
afterAll(async () => {
  await platform?.stop()
  rmSync(home, { recursive: true, force: true })
})

it('the worker that refused a plan compiles it once the rules let it through, and goes on', async () => {
  const worker = await pidOf('worker')
  expect((await runPlan()).code).toBe(3)
  putRule('package household\n\nask contains "desk" if input.agent == "desk"\n')
  expect((await reload()).body).toMatchObject({ refused: null, worker: 'taken' })
  const { code, stderr } = await runPlan()
  expect(code, stderr).toBe(0)
  expect(await pidOf('worker')).toBe(worker)
  const used = await runCli(['policy', 'budget', '--state', platform.state, '--json'])
  const { lines } = budgetSchema.parse(JSON.parse(used.stdout))
  expect(lines.filter(({ unit }) => unit === 'effects')).toMatchObject([
    { agent: null, day: 1, month: 1 },
    { agent: 'notes', day: 1, month: 1 },
  ])
  // What the notary does not take, the worker is not given.
  const before = readFileSync(join(platform.state, 'worker', 'policy.json'), 'utf8')
  putRule('package household\n\nask contains 7\n')
  expect((await reload()).body).toMatchObject({ refused: 'it breaks down' })
  expect(readFileSync(join(platform.state, 'worker', 'policy.json'), 'utf8')).toBe(before)
  putRule('package household\n\nask contains "desk" if input.agent == "desk"\n')
  expect((await reload()).body).toMatchObject({ refused: null, worker: 'taken' })
})

it('a policy is taken up while everything runs, and the last good one kept', async () => {
  const first = await inForce()
  expect(first).toMatchObject({ refused: null, seen: expect.any(String) })
  // Two engines, each with a digest of its own.
  expect(first.digest).toMatch(/^[\w-]{43}\.[\w-]{43}$/)

  putRule('package household\n\ndeny contains "desk" if input.agent == "desk"\n')
  const second = reloadSchema.parse((await reload()).body)
  expect(second).toMatchObject({ previous: first.digest, refused: null })
  expect(second.digest).not.toBe(first.digest)

  // It compiles, and answers nothing that a policy may answer.
  putRule('package household\n\nask contains 7\n')
  const third = reloadSchema.parse((await reload()).body)
  expect(third).toMatchObject({ digest: second.digest, refused: 'it breaks down' })

  putRule('package household\n\ndeny contains "desk" if {\n')
  const { status, body } = await reload()
  expect(status).toBe(409)
  expect(refusalSchema.parse(body)).toMatchObject({ code: 'BUNDLE_FAILED' })
  expect(refusalSchema.parse(body).message).toContain('house.rego')
  expect((await inForce()).digest).toBe(second.digest)

  // Whatever lies there, the notary looks for itself.
  const file = join(platform.state, 'notary', 'policy.json')
  const text = readFileSync(file, 'utf8').replace(
    /"wasm":"[^"]{20}/,
    '"wasm":"AAAAAAAAAAAAAAAAAAAA',
  )
  writeFileSync(file, text)
  process.kill((await pidOf('notary')) ?? 0, 'SIGHUP')
  await expect.poll(async () => (await inForce()).refused).not.toBeNull()
  expect((await inForce()).digest).toBe(second.digest)
})
