// One soak: a deployment that does its everyday work for a while, and everything that is watched
// meanwhile. Whoever ends it early gets what has been seen so far.

import { setTimeout as delay } from 'node:timers/promises'
import type { FiringReport } from '../../cli/firing-outcomes.ts'
import {
  type AuditVerdict,
  startNemesisDeployment,
  verifyWhenQuiet,
} from '../nemesis/deployment.ts'
import { type FaultKind, inflict } from '../nemesis/faults.ts'
import { judge, type Verdict } from '../nemesis/judge.ts'
import { readWorld } from '../nemesis/outside.ts'
import { drawJob, type Ending, perform } from '../nemesis/workload.ts'
import { Connection } from '../support/connection.ts'
import type { TestDeployment } from '../support/deployment.ts'
import { statusOf } from '../support/observer.ts'
import {
  enable,
  type FiringSummary,
  mostShown,
  pause,
  readOutcomes,
  readOutcomesAfter,
  type SoakSchedule,
  summarise,
} from './firings.ts'
import { type Availability, type ProbedPart, probe } from './probes.ts'
import { createLives, type Life } from './processes.ts'
import { createSizes, type SizeReport } from './sizes.ts'

export interface SoakOptions {
  /** A folder that is not there yet, or empty. */
  readonly state: string
  readonly durationMs: number
  /** From one fault to the next; undefined for none. */
  readonly faultEveryMs: number | undefined
  readonly interrupted: AbortSignal
  readonly say: (line: string) => void
}

export interface SoakReport {
  readonly durationMs: number
  readonly interrupted: boolean
  readonly availability: Readonly<Record<ProbedPart, Availability>>
  /** Those of the workload and of the schedules; null when it was interrupted. */
  readonly runs: Verdict | null
  /** Of an interrupted soak as they were last read. */
  readonly firings: readonly FiringSummary[]
  readonly processes: readonly Life[]
  readonly sizes: readonly SizeReport[]
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly audit: AuditVerdict | null
}

/** What an ordinary user can do to a platform that is his own. */
const faults = [
  ...(['kill-agent', 'kill-worker', 'kill-notary', 'kill-bus', 'kill-temporal'] as const),
] satisfies FaultKind[]

const schedules: readonly SoakSchedule[] = [
  {
    id: 'often',
    everySeconds: 10,
    policy: { overlap: 'allow', catchUpSeconds: 300, jitterSeconds: 0 },
  },
  {
    id: 'each-minute',
    everySeconds: 60,
    policy: { overlap: 'buffer-one', catchUpSeconds: 300, jitterSeconds: 0 },
  },
]

/** Runs under way at once, and the pause after each: everyday work, not a load test. */
const lanes = 2
const pauseMs = 1_000
/** What is out when the time is up gets this long to end. */
const endingMs = 3 * 60_000
const leastSampleMs = 500
const mostSampleMs = 30_000

/** @throws Error when the deployment does not start, or leaves something behind */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { state } = options
  // In a session of its own: Ctrl-C is for the soak, which then stops the platform in order.
  const deployment = await startNemesisDeployment(state, { wrapper: ['setsid'] })
  const connections = [new Connection(state), new Connection(state)] as const
  try {
    return await watch(options, deployment, connections)
  } finally {
    await Promise.all(connections.map((connection) => connection.close()))
    await deployment.stop()
  }
}

async function watch(
  options: SoakOptions,
  deployment: TestDeployment,
  [working, probing]: readonly [Connection, Connection],
): Promise<SoakReport> {
  const { state, durationMs, interrupted, say } = options
  const startedAt = performance.now()
  const over = AbortSignal.any([interrupted, AbortSignal.timeout(durationMs)])
  const late = AbortSignal.any([interrupted, AbortSignal.timeout(durationMs + endingMs)])
  for (const schedule of schedules) await working.use((session) => enable(session, schedule))
  // The notary knows a schedule a moment before the server does: what is due in between is nobody's.
  const from = Date.now()
  const endings: Ending[] = []
  const inflicted: Partial<Record<FaultKind, number>> = {}
  const seen = schedules.map((schedule) => ({
    schedule,
    outcomes: new Map<number, FiringReport>(),
  }))
  const lives = createLives()
  const sizes = createSizes(state)
  const [availability] = await Promise.all([
    probe({
      ...{ deployment, connection: probing, signal: over },
      requestId: () => endings.at(-1)?.job.requestId,
    }),
    ...Array.from({ length: lanes }, (_, lane) => work({ lane, working, over, late, endings })),
    sample(options, deployment, { over, lives, sizes }),
    torment(options, deployment, { over, inflicted }),
    ...seen.map((one) => follow(working, one, over)),
  ])
  const until = Date.now()
  say(interrupted.aborted ? 'interrupted' : 'waiting for what is under way')
  const rest = interrupted.aborted
    ? { runs: null, audit: null }
    : await conclude({ state, working, seen, until, late, endings, say })
  const firings = seen.map(({ schedule, outcomes }) =>
    summarise(schedule, [...outcomes.values()], { from, until }),
  )
  return {
    durationMs: Math.round(performance.now() - startedAt),
    interrupted: interrupted.aborted,
    availability,
    firings,
    processes: lives.report(),
    sizes: sizes.report(),
    faults: inflicted,
    ...rest,
  }
}

interface Seen {
  readonly schedule: SoakSchedule
  readonly outcomes: Map<number, FiringReport>
}

/** Ends everything that began, and holds it against what the outside world saw. */
async function conclude(end: {
  readonly state: string
  readonly working: Connection
  readonly seen: readonly Seen[]
  readonly until: number
  readonly late: AbortSignal
  readonly endings: readonly Ending[]
  readonly say: (line: string) => void
}): Promise<{ readonly runs: Verdict; readonly audit: AuditVerdict }> {
  const { state, working, seen, until, late, say } = end
  const fired: Ending[] = []
  for (const { schedule, outcomes } of seen) {
    const wait = { until, on: ['running', 'waiting'], signal: late } as const
    note(outcomes, await readOutcomesAfter(working, schedule, wait))
    await working.use((session) => pause(session, schedule))
    // Those that became due meanwhile end as well, before anything is counted.
    const after = { until: Date.now(), on: ['running'], signal: late } as const
    note(outcomes, await readOutcomesAfter(working, schedule, after))
    for (const { requestId } of outcomes.values()) {
      if (requestId === undefined) continue
      const job = { requestId, title: '', kind: 'count' } as const
      const result = await working.use((session) => session.runs.result(requestId))
      fired.push({ job, result })
    }
  }
  const audit = await verifyWhenQuiet(working, state, say)
  const endings = [...end.endings, ...fired]
  const jobs = endings.map(({ job }) => job)
  return { runs: judge(endings, readWorld(state, jobs)), audit }
}

async function work(lane: {
  readonly lane: number
  readonly working: Connection
  readonly over: AbortSignal
  readonly late: AbortSignal
  readonly endings: Ending[]
}): Promise<void> {
  const { over, late, endings, working } = lane
  for (let index = lane.lane; !over.aborted; index += lanes) {
    endings.push(await perform(drawJob(index, 1), working, late))
    await sleep(pauseMs, over)
  }
}

async function sample(
  { durationMs, say }: SoakOptions,
  deployment: TestDeployment,
  { over, lives, sizes }: SampleInto,
): Promise<void> {
  const everyMs = Math.min(mostSampleMs, Math.max(leastSampleMs, durationMs / 100))
  const supervisor = { name: 'supervisor', pid: deployment.process.pid ?? 0 }
  for (let samples = 0; !over.aborted; samples += 1) {
    const { processes } = await statusOf(deployment).catch(() => ({ processes: [] }))
    const alive = processes.flatMap(({ name, pid }) => (pid === null ? [] : [{ name, pid }]))
    lives.sample([supervisor, ...alive], performance.now())
    sizes.sample(performance.now())
    if (samples === 0) say('soaking')
    await sleep(everyMs, over)
  }
}

interface SampleInto {
  readonly over: AbortSignal
  readonly lives: ReturnType<typeof createLives>
  readonly sizes: ReturnType<typeof createSizes>
}

async function torment(
  { faultEveryMs, say }: SoakOptions,
  deployment: TestDeployment,
  {
    over,
    inflicted,
  }: { readonly over: AbortSignal; inflicted: Partial<Record<FaultKind, number>> },
): Promise<void> {
  if (faultEveryMs === undefined) return
  const target = { deployment, random: Math.random, resetRun: async () => false }
  for (let index = 0; ; index += 1) {
    await sleep(faultEveryMs, over)
    if (over.aborted) return
    const kind = faults[index % faults.length] ?? 'kill-agent'
    const hit = await inflict(kind, target).catch((error: unknown) => {
      say(`${kind}: ${String(error)}`)
      return false
    })
    if (hit) inflicted[kind] = (inflicted[kind] ?? 0) + 1
  }
}

/** Reads outcomes often enough that none gets out of sight. */
async function follow(working: Connection, { schedule, outcomes }: Seen, over: AbortSignal) {
  while (!over.aborted) {
    await sleep((schedule.everySeconds * 1_000 * mostShown) / 4, over)
    const reports = await readOutcomes(working, schedule).catch(() => [])
    note(outcomes, reports)
  }
}

function note(outcomes: Map<number, FiringReport>, reports: readonly FiringReport[]): void {
  for (const report of reports) outcomes.set(report.at, report)
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}
