// P9 and P10: what a step costs in a plan of a hundred, a thousand and ten thousand steps, in a real
// deployment, and how many workflow tasks there are for each. The steps are short reads of one
// sandboxed agent, in loops over lists that the plan itself writes out, so that nothing but the number
// of steps differs between the sides. Workflow tasks are counted in Temporal's history.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { openSession, type Session } from '../cli/session.ts'
import { generateHome } from '../examples/home/generate.ts'
import { fastTimeoutMs } from '../plan/lane.ts'
import { startDeployment, type TestDeployment } from '../test/support/deployment.ts'
import { programPath } from '../test/support/programs.ts'
import { countHistories } from '../test/support/temporal-histories.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { measure, type Side } from './harness.ts'
import { describeMachine } from './machine.ts'
import { type BenchResult, toResult } from './results.ts'
import { runPlan } from './run-plan.ts'

export const scaleBench: Bench = { name: 'scale', run: runScale }

/** Time per step in the larger plan by that in the smaller (issue 5, and performance.md P9). */
const must = { thousand: 1.2, tenThousand: 1.3 }
/** Workflow tasks per completed step (P10). */
const tasksMust = new Map([
  [8, 0.5],
  [64, 0.15],
])
const writtenSteps = 1_000

/** Not on the fast lane: an activity each, which is what a history is made of. */
const read = `agent: notes, action: list, args: { recentDays: 7, limit: 1 }, timeoutMs: ${fastTimeoutMs + 1}`

/** Two loops, one after the other, and one step for the answer: so many altogether. */
function loopsOf(steps: number): string {
  const forEach = (count: number) => {
    const items = Array.from({ length: count }, (_, index) => index).join(',')
    return `forEach: { in: [${items}], as: item, max: ${count} }`
  }
  return planOf([
    `{ id: one, ${read}, ${forEach(steps / 2)} }`,
    `{ id: other, ${read}, needs: [one], ${forEach(steps / 2 - 1)} }`,
    `{ id: last, ${read}, needs: [other] }`,
  ])
}

/** Written out, as many chains side by side as the fan-out. */
function chainsOf(steps: number, fanOut: number): string {
  return planOf(
    Array.from({ length: steps }, (_, index) => {
      const needs = index < fanOut ? '' : `, needs: [s${index - fanOut}]`
      return `{ id: s${index}, ${read}${needs} }`
    }),
    's0',
  )
}

function planOf(steps: readonly string[], answer = 'last'): string {
  const list = steps.map((step) => `  - ${step}`)
  return [
    'version: 1',
    'goal: Many short reads',
    'steps:',
    ...list,
    `answer: { from: [${answer}] }`,
  ].join('\n')
}

async function runScale(options: BenchOptions): Promise<readonly BenchResult[]> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
  let deployment: TestDeployment | undefined
  let session: Session | undefined
  try {
    deployment = await start(state)
    session = await openSession(state)
    const counts = await countTasks(session, deployment)
    return [{ ...(await compare(session, options)), counts }]
  } finally {
    await session?.close()
    await deployment?.stop()
    rmSync(state, { recursive: true, force: true })
  }
}

async function start(state: string): Promise<TestDeployment> {
  const today = new Date().toISOString().slice(0, 10)
  await generateHome({ folder: state, today, timeZone: 'UTC', seed: 1, web: 'http://127.0.0.1:9' })
  const settings = ['timezone: UTC', 'agents:', '  notes: { folder: agents/notes/data }', '']
  writeFileSync(join(state, 'bulkhead.yaml'), settings.join('\n'))
  // An agent that was stopped for being idle would be measured starting.
  return startDeployment({ state, agents: ['notes'], overrides: { notes: { idleMs: 3_600_000 } } })
}

async function compare(
  session: Session,
  { measure: how, command }: BenchOptions,
): Promise<BenchResult> {
  const sides = [100, 1_000, 10_000].map((steps): Side => {
    const source = loopsOf(steps)
    return {
      name: nameOf(steps),
      pieces: steps,
      run: async () => void (await runPlan(session, source)),
    }
  })
  // A side of minutes has its own warming up, and few rounds are enough for its median.
  const few = { ...how, warmUps: 0, rounds: Math.min(how.rounds, 5) }
  await runPlan(session, loopsOf(1_000))
  const measured = await measure(sides, few)
  const about = {
    ...{ name: 'scale', command, rounds: few.rounds, on: describeMachine(programPath('temporal')) },
    about: 'Time per step of a run, through notary, audit and one sandboxed agent, in two loops.',
  }
  return toResult(about, measured, [
    { of: nameOf(1_000), to: nameOf(100), must: must.thousand },
    { of: nameOf(10_000), to: nameOf(1_000), must: must.tenThousand },
  ])
}

function nameOf(steps: number): string {
  return `${steps.toLocaleString('en')} steps`
}

async function countTasks(
  session: Session,
  { deployment }: TestDeployment,
): Promise<NonNullable<BenchResult['counts']>> {
  const { address, namespace } = deployment.temporal
  const connection = await Connection.connect({ address })
  const client = new Client({ connection, namespace })
  try {
    const counts: NonNullable<BenchResult['counts']>[number][] = []
    for (const [fanOut, most] of tasksMust) {
      const { requestId } = await runPlan(session, chainsOf(writtenSteps, fanOut))
      const histories = await countHistories(client, requestId)
      const tasks = histories.reduce((sum, one) => sum + one.tasks, 0) / writtenSteps
      counts.push({
        name: `workflow tasks per step, ${fanOut} wide`,
        value: Number(tasks.toPrecision(3)),
        must: most,
      })
    }
    return counts
  } finally {
    await connection.close()
  }
}
