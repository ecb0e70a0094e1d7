// A whole deployment on the workflows and the audit database of an earlier release, killed in the
// middle of everything, and started again as it is today: what was begun is finished, once.

import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyWhenQuiet } from '../nemesis/deployment.ts'
import { enable, pause, readOutcomes, readOutcomesAfter, summarise } from '../soak/firings.ts'
import { buildsOf } from '../support/builds.ts'
import { runCli } from '../support/cli.ts'
import { makeEarlier } from '../support/earlier-schema.ts'
import { keptReleases } from '../support/kept-releases.ts'
import { type LongDeployment, startLongDeployment } from '../support/long-deployment.ts'

let long: LongDeployment
beforeAll(async () => {
  long = await startLongDeployment('earlier')
})
afterAll(() => long.stop())

const toll = (ms: number) =>
  `{ id: act, agent: test, action: toll, args: { ms: ${ms} }, onError: hold }`
const ring = (ms: number) =>
  `{ id: act, agent: test, action: ring, args: { ms: ${ms}, ends: linger } }`
const after = '{ id: after, agent: test, action: count, args: { text: x }, needs: [act] }'
const often = {
  id: 'often',
  everySeconds: 2,
  policy: { overlap: 'allow', catchUpSeconds: 300, jitterSeconds: 0 },
} as const
/** Nothing that a kill could leave unknown. */
const look = `
version: 1
goal: Look again and again
steps: [{ id: look, agent: test, action: echo, args: { text: x } }]
answer: { from: [look] }
`
const stepOf = (run: { readonly steps: readonly { readonly id: string }[] }, id = 'act') =>
  run.steps.find((step) => step.id === id)

it('finishes what an earlier release began: held runs, steps at work, schedules', async () => {
  const plan = { kind: 'plan', name: 'look', source: look, inputs: {} } as const
  await long.connection.use((session) => enable(session, often, plan))
  // The notary knows a schedule a moment before the server does, and the server a moment before it begins
  // the first: what is due in between is nobody's.
  const outcomes = async () => {
    const reports = await readOutcomes(long.connection, often)
    return reports.map(({ outcome }) => outcome)
  }
  await expect.poll(outcomes, { timeout: 60_000, interval: 500 }).toContain('ran')
  const from = Date.now()
  await long.begin('held', [toll(8_000), after])
  await long.whenIn('held', 'act', 'EXECUTING')
  await long.kill('agent test.0')
  await long.shown('held', ({ status }) => status === 'held')
  await long.begin('at-work', [ring(20_000), after])
  await long.whenIn('at-work', 'act', 'EXECUTING')

  await long.upgrade((state) => makeEarlier(join(state, 'notary', 'audit.db'), 4))

  const copies = await runCli(['state', 'backups', '--state', long.state, '--json'])
  expect(JSON.parse(copies.stdout)).toMatchObject([{ kind: 'before-migration', version: 4 }])
  const { build, temporal } = await long.connection.use(async ({ deployment }) => deployment)
  const held = await long.shown('held', ({ status }) => status === 'held')
  expect(stepOf(held)).toMatchObject({ outcome: 'unknown' })
  expect((await long.command('resolve', 'held', 'act', '--happened')).code).toBe(0)
  for (const requestId of ['held', 'at-work']) {
    expect(await long.result(requestId)).toMatchObject({ status: 'completed' })
    expect(long.times(requestId, 'after')).toBe(1)
    expect(await buildsOf(temporal, requestId)).toEqual([keptReleases.at(-1), build])
  }
  expect(long.times('at-work', 'act')).toBe(1)

  const until = Date.now()
  const signal = AbortSignal.timeout(120_000)
  const wait = { until, on: ['running', 'waiting'], signal } as const
  await readOutcomesAfter(long.connection, often, wait)
  await long.connection.use((session) => pause(session, often))
  // What became due meanwhile ends as well, before the audit is held against the history.
  const last = { until: Date.now(), on: ['running'], signal } as const
  const reports = await readOutcomesAfter(long.connection, often, last)
  const summary = summarise(often, reports, { from, until })
  expect(summary.due).toBeGreaterThan(0)
  expect(summary).toMatchObject({ missing: [], others: [] })
  const audit = await verifyWhenQuiet(long.connection, long.state, () => undefined)
  expect(audit).toMatchObject({ ok: true, gaps: 0 })
})
