// P7 and P8 without the peers: a DAG of ten short reads (1-8-1) in a real deployment, the agent in its
// sandbox, notary, audit and all, once with its steps on the fast lane and once without, and both
// against ten activities that do nothing in the same DAG on the same server. Both lanes run one plan in
// one deployment; a run that shall not take the fast lane says so when it is submitted.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSession, type Session } from '../cli/session.ts'
import { generateHome } from '../examples/home/generate.ts'
import { fastTimeoutMs } from '../plan/lane.ts'
import { startDeployment, type TestDeployment } from '../test/support/deployment.ts'
import { programPath } from '../test/support/programs.ts'
import { type BareWorker, startBareWorker } from './bare-worker.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { measure, type Side } from './harness.ts'
import { describeMachine } from './machine.ts'
import { type BenchResult, toResult } from './results.ts'
import { runPlan } from './run-plan.ts'

/** What the issue promises: with the fast lane at most this part of the time without it. */
const fastLaneMust = 0.6
/** How many runs are under way at once in the second comparison. */
const inFlight = 50
const stepIds = Array.from({ length: 8 }, (_, index) => `middle-${index}`)

export const dagBench: Bench = { name: 'dag', run: runDag }

function toPlan(): string {
  const timeoutMs = fastTimeoutMs
  // The shortest read there is: reading a calendar would measure how it is parsed.
  const reads = 'agent: notes, action: list, args: { recentDays: 7, limit: 3 }'
  const middles = stepIds.map(
    (id) => `  - { id: ${id}, ${reads}, timeoutMs: ${timeoutMs}, needs: [first] }`,
  )
  return `
version: 1
goal: Ten short reads
steps:
  - { id: first, ${reads}, timeoutMs: ${timeoutMs} }
${middles.join('\n')}
  - { id: last, ${reads}, timeoutMs: ${timeoutMs}, needs: [${stepIds.join(', ')}] }
answer: { from: [last] }
`
}

async function runDag(options: BenchOptions): Promise<readonly BenchResult[]> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
  let deployment: TestDeployment | undefined
  let session: Session | undefined
  let bare: BareWorker | undefined
  try {
    deployment = await start(state)
    session = await openSession(state)
    bare = await startBareWorker(deployment.deployment.temporal)
    const sides = sidesOf(session, bare)
    await proveLanes(session)
    return [
      await compare('dag', sides, options),
      await compare(`dag, ${inFlight} in flight`, sides.map(manyAtOnce), aThirdOf(options)),
    ]
  } finally {
    await bare?.stop()
    await session?.close()
    await deployment?.stop()
    rmSync(state, { recursive: true, force: true })
  }
}

async function start(state: string): Promise<TestDeployment> {
  mkdirSync(state, { recursive: true })
  const today = new Date().toISOString().slice(0, 10)
  const home = { folder: state, today, timeZone: 'UTC', seed: 1, web: 'http://127.0.0.1:9' }
  await generateHome(home)
  const settings = '  notes: { folder: agents/notes/data }'
  const configuration = ['timezone: UTC', 'fastLane: true', 'agents:', settings, '']
  writeFileSync(join(state, 'bulkhead.yaml'), configuration.join('\n'))
  // An agent that was stopped for being idle would be measured starting.
  const overrides = { notes: { idleMs: 3_600_000 } }
  return startDeployment({ state, agents: ['notes'], overrides })
}

const plan = toPlan()
const fast = 'fast lane on'
const regular = 'fast lane off'
const bareRegular = 'ten bare activities'
const bareLocal = 'ten bare local activities'

function sidesOf(session: Session, bare: BareWorker): readonly Side[] {
  return [
    { name: fast, run: async () => void (await runPlan(session, plan, 'fast')) },
    { name: regular, run: async () => void (await runPlan(session, plan, 'regular')) },
    { name: bareRegular, run: () => bare.run('bareDag') },
    { name: bareLocal, run: () => bare.run('bareLocalDag') },
  ]
}

/** A round of many runs is steadier than one run, and takes as much longer. */
function aThirdOf({ measure: how, ...options }: BenchOptions): BenchOptions {
  return { ...options, measure: { ...how, warmUps: 1, rounds: Math.ceil(how.rounds / 3) } }
}

function manyAtOnce({ name, run }: Side): Side {
  return {
    name,
    pieces: inFlight,
    run: async (round) => {
      await Promise.all(Array.from({ length: inFlight }, () => run(round)))
    },
  }
}

/** A comparison of a lane with itself would hold as well. Also wakes the agent. */
async function proveLanes(session: Session): Promise<void> {
  await runPlan(session, plan, 'regular')
  const fastSteps = async (lane: 'fast' | 'regular') =>
    (await runPlan(session, plan, lane)).steps.filter((step) => step.lane === 'fast').length
  const [on, off] = [await fastSteps('fast'), await fastSteps('regular')]
  if (on !== 10 || off !== 0) throw new Error(`on the fast lane were ${on} and ${off} steps`)
}

async function compare(
  name: string,
  sides: readonly Side[],
  { measure: how, command }: BenchOptions,
): Promise<BenchResult> {
  const measured = await measure(sides, how)
  const about = {
    ...{ name, command, rounds: how.rounds, on: describeMachine(programPath('temporal')) },
    about:
      'Ten short reads (1-8-1), each a list of the three newest of a few small notes, from the request to the end of the run, through notary, audit and a sandboxed agent.',
  }
  return toResult(about, measured, [
    { of: fast, to: regular, must: fastLaneMust },
    { of: fast, to: bareRegular },
    { of: regular, to: bareRegular },
    { of: fast, to: bareLocal },
  ])
}
