// A pool of two in a whole deployment: both are used, nothing happens twice, one that is shut out is
// done without, and one that does not answer is left alone, which a person can see.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import type { RunResult } from '../../workflows/contract.ts'
import { runCli } from '../support/cli.ts'
import { Connection } from '../support/connection.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { readDatabase } from '../support/state-on-disk.ts'
import { countsFile } from '../support/test-agent/manifest.ts'

const nemesis = join(import.meta.dirname, '..', 'nemesis')
const agentSchema = z.object({
  pool: z.object({ breaker: z.string() }),
  metrics: z.object({ executed: z.number().nullable() }),
  replicas: z.array(z.object({ n: z.number(), state: z.string(), pid: z.number().nullable() })),
})

let state: string
let deployment: TestDeployment
let connection: Connection
beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-pools-'))
  mkdirSync(join(state, 'counts'), { mode: 0o700 })
  deployment = await startDeployment({
    state,
    agents: ['test'],
    overrides: { test: { replicas: 2 } },
    notaryEntry: join(nemesis, 'notary-main.ts'),
    workerEntry: join(nemesis, 'worker-main.ts'),
  })
  connection = new Connection(state)
})
afterAll(async () => {
  await connection.close()
  await deployment.stop().finally(() => rmSync(state, { recursive: true, force: true }))
})

const show = async () => agentSchema.parse((await deployment.control('GET', '/agents/test')).body)

async function begin(requestId: string, action: string, args: string, count: number) {
  const steps = Array.from(
    { length: count },
    (_, n) => `  - { id: s-${n}, agent: test, action: ${action}, attempts: 5, args: ${args} }\n`,
  ).join('')
  const source = `version: 1\ngoal: Use a pool\nsteps:\n${steps}answer: { from: [s-0] }\n`
  const plan = { kind: 'plan', name: 'pool', source, inputs: {} } as const
  await connection.use(async (session) => {
    const stored = await session.putRequest(requestId, JSON.stringify(plan))
    if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
    const registered = await session.request({ requestId, ...plan, priority: 'MEDIUM' })
    if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
    await session.runs.submit({ requestId, requestRef: stored.ref })
  })
}
const result = (requestId: string): Promise<RunResult> =>
  connection.use((session) => session.runs.result(requestId), 100_000)

/** Effects in the ledger of a replica. */
const ledger = (n: number): readonly string[] =>
  readDatabase(join(state, 'agents', `test.${n}`, 'ledger', 'ledger.db'), (database) =>
    database.prepare<[], string>('SELECT idem FROM effects').pluck().all(),
  )
const lines = () =>
  readFileSync(join(state, 'counts', countsFile), 'utf8')
    .split('\n')
    .slice(0, -1)

it('uses both, each effect once, in the ledger of one of them', async () => {
  await begin('spread', 'toll', '{ ms: 300 }', 12)
  const { status, steps } = await result('spread')
  expect(status).toBe('completed')
  expect(steps.every(({ outcome }) => outcome === 'settled')).toBe(true)
  const [first, second] = [ledger(0), ledger(1)]
  expect(Math.min(first.length, second.length)).toBeGreaterThan(0)
  expect([first.length + second.length, lines().length]).toEqual([12, 12])
  expect(new Set([...first, ...second])).toEqual(new Set(lines()))
  expect(new Set(lines()).size).toBe(12)
  await expect.poll(async () => (await show()).metrics.executed).toBe(12)
})

it('does without one that is shut out', async () => {
  const before = ledger(0).length
  const cli = (...words: readonly string[]) => runCli(['agents', ...words, '--state', state])
  expect((await cli('quarantine', 'test', '--replica', '0')).code).toBe(0)
  await begin('one-less', 'count', '{ text: a }', 6)
  expect(await result('one-less')).toMatchObject({ status: 'completed' })
  expect(ledger(0).length).toBe(before)
  expect((await cli('restore', 'test')).code).toBe(0)
})

it('leaves one alone that does not answer, says so, and goes on when it does', async () => {
  const pids = (await show()).replicas.flatMap(({ pid }) => pid ?? [])
  expect(pids.length).toBeGreaterThan(0)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    await begin('silent', 'echo', '{ text: a }', 8)
    await expect.poll(async () => (await show()).pool.breaker).not.toBe('closed')
    const { stdout } = await runCli(['agents', 'list', '--state', state])
    expect(stdout).toMatch(/^test .*does not answer since .*: steps wait$/m)
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
  expect(await result('silent')).toMatchObject({ status: 'completed' })
  await expect.poll(async () => (await show()).pool.breaker).toBe('closed')
  const { stdout } = await runCli([
    'audit',
    'query',
    '--kind',
    'life-cycle',
    '--json',
    '--state',
    state,
  ])
  const bodies = z
    .array(z.object({ subject: z.string(), body: z.unknown() }))
    .parse(JSON.parse(stdout))
  const breakers = bodies.filter(({ body }) => JSON.stringify(body).includes('breaker'))
  expect(breakers.length).toBeGreaterThanOrEqual(2)
  expect(new Set(breakers.map(({ subject }) => subject))).toEqual(new Set(['agent:test']))
})
