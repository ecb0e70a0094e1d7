// What a person is told of an agent's work: what it says in its heartbeats, brought by the notary to
// the supervisor, in a whole deployment. And of its silence: see test/supervisor/heartbeats.test.ts.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { agentSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { writePlan } from '../support/plan-files.ts'

let deployment: TestDeployment
const base = mkdtempSync(join(tmpdir(), 'bulkhead-metrics-'))
beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample' })
})
afterAll(async () => {
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
})

const cli = (...args: readonly string[]) => runCli([...args, '--state', deployment.state])
const metrics = async () => {
  const { stdout } = await cli('agents', 'show', 'calendar', '--json')
  return agentSchema.parse(JSON.parse(stdout)).metrics
}
const read = (id: string, calendar: string) =>
  `  - { id: ${id}, agent: calendar, action: list, onError: continue, args: { calendars: ["${calendar}"], day: today } }\n`

it('counts what an agent has done and what of it failed, soon after it was done', async () => {
  const steps = `steps:\n${read('one', 'work')}${read('two', 'nobody')}`
  const { code, stderr } = await cli(
    'run',
    writePlan(base, 'metrics', `${steps}answer: { from: [one] }\n`),
  )
  expect(code, stderr).toBe(0)
  await expect.poll(async () => (await metrics()).executed).toBe(2)
  expect(await metrics()).toMatchObject({
    ...{ failed: 1, successRate: 0.5, heartbeat: 'present' },
    ...{ meanMs: expect.any(Number), lastHeartbeat: expect.any(Number) },
    ...{ uptimeMs: expect.any(Number), memoryBytes: expect.any(Number) },
  })
  const { stdout } = await cli('agents', 'list')
  expect(stdout).toMatch(/^calendar +running +2 done, 1 failed, \d+ ms each$/m)
  expect(stdout).toMatch(/^weather +stopped +-$/m)
})

it('does not fill the audit with them', async () => {
  const { stdout } = await cli('audit', 'query', '--kind', 'message', '--json')
  expect(JSON.parse(stdout)).toEqual([])
})
