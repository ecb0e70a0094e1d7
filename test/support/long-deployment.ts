// A whole deployment of the test agent alone, whose effects last long enough to be interrupted, and
// what a person and the outside world see of them: the command's answers, the lines of the file.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunDocument } from '../../cli/run-view.ts'
import type { RunResult } from '../../workflows/contract.ts'
import { runCli } from './cli.ts'
import { Connection } from './connection.ts'
import { processesOf, startDeployment, type TestDeployment } from './deployment.ts'
import { processOf } from './observer.ts'
import { programPath } from './programs.ts'
import { readEffects, type SeenEffect } from './seen-effects.ts'
import { countsFile } from './test-agent/manifest.ts'

export interface LongDeployment {
  /** Registers and starts a plan whose answer is its last step's; does not wait. */
  begin(requestId: string, steps: readonly string[]): Promise<void>
  /** Waits until it has ended. */
  result(requestId: string): Promise<RunResult>
  /** What `bulkhead runs show --json` prints. */
  show(requestId: string): Promise<RunDocument>
  /** `show`, again and again until it is so. */
  shown(requestId: string, isSo: (run: RunDocument) => boolean): Promise<RunDocument>
  /** `bulkhead runs <words>`; resolves with its exit code. */
  command(...words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }>
  /** Waits until the agent's ledger says that the step's effect is in this state. */
  whenIn(requestId: string, step: string, state: string): Promise<void>
  effect(requestId: string, step: string): SeenEffect | undefined
  /** How often the outside world saw the step. */
  times(requestId: string, step: string): number
  kill(name: 'worker' | 'agent test.0'): Promise<void>
  /** Every process, the supervisor first, and starts anew on what is left. */
  killAll(): Promise<void>
  /** The same, but what starts is of today, and finds the state as `change` left it. */
  upgrade(change: (state: string) => void): Promise<void>
  readonly state: string
  readonly connection: Pick<Connection, 'use'>
  /** `temporal workflow reset`; `type` is the command's, such as FirstWorkflowTask. */
  reset(requestId: string, type: string): Promise<void>
  stop(): Promise<void>
}

const nemesis = join(import.meta.dirname, '..', 'nemesis')
const withinMs = 90_000

const workers = {
  today: join(nemesis, 'worker-main.ts'),
  earlier: join(import.meta.dirname, 'earlier-worker-main.ts'),
}

/** An earlier release knew of no lanes. */
const asOf = { today: {}, earlier: { lane: 'regular' } } as const

/** @param release whose workflows it runs, and whose runs are begun */
export async function startLongDeployment(
  release: keyof typeof workers = 'today',
): Promise<LongDeployment> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-long-'))
  mkdirSync(join(state, 'counts'), { mode: 0o700 })
  let workerEntry = workers[release]
  const start = (): Promise<TestDeployment> =>
    startDeployment({
      state,
      agents: ['test'],
      notaryEntry: join(nemesis, 'notary-main.ts'),
      workerEntry,
    })
  let deployment = await start()
  let connection = new Connection(state)
  const effect = (requestId: string, step: string) => readEffects(state, requestId).get(step)
  const show = async (requestId: string): Promise<RunDocument> => {
    const { stdout, stderr } = await runCli(['runs', 'show', requestId, '--state', state, '--json'])
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  }
  const startAnew = async (meanwhile: () => void) => {
    await connection.close()
    const doomed = processesOf(state)
    const gone = deployment.kill()
    for (const { pid } of doomed) killIfThere(pid)
    await gone
    meanwhile()
    deployment = await start()
    connection = new Connection(state)
  }
  return {
    async begin(requestId, steps) {
      const last = /id: (\w+)/.exec(steps.at(-1) ?? '')?.[1]
      const lines = steps.map((step) => `  - ${step}\n`).join('')
      const source = `version: 1\ngoal: Take long\nsteps:\n${lines}answer: { from: [${last}] }\n`
      const plan = { kind: 'plan', name: 'long', source, inputs: {} } as const
      await connection.use(async (session) => {
        const stored = await session.putRequest(requestId, JSON.stringify(plan))
        if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
        const registered = await session.request({ requestId, ...plan, priority: 'MEDIUM' })
        if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
        await session.runs.submit({ requestId, requestRef: stored.ref, ...asOf[release] })
      })
    },
    result: (requestId) => connection.use((session) => session.runs.result(requestId), withinMs),
    show,
    async shown(requestId, isSo) {
      const until = performance.now() + withinMs
      for (;;) {
        const run = await show(requestId)
        if (isSo(run)) return run
        if (performance.now() > until) throw new Error(`not in time: ${JSON.stringify(run)}`)
      }
    },
    command: (...words) => runCli(['runs', ...words, '--state', state]),
    async whenIn(requestId, step, wanted) {
      const until = performance.now() + withinMs
      while (effect(requestId, step)?.ledger !== wanted) {
        if (performance.now() > until) throw new Error(`${requestId} ${step} was never ${wanted}`)
        await delay(20)
      }
    },
    effect,
    times(requestId, step) {
      const idem = effect(requestId, step)?.idem
      const file = join(state, 'counts', countsFile)
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
      return lines.filter((line) => line === idem).length
    },
    async kill(name) {
      const { pid } = await processOf(deployment, name)
      if (pid === null) throw new Error(`${name} is not running`)
      process.kill(pid, 'SIGKILL')
    },
    killAll: () => startAnew(() => undefined),
    async upgrade(change) {
      workerEntry = workers.today
      await startAnew(() => change(state))
    },
    state,
    connection: { use: (call, ms) => connection.use(call, ms) },
    async reset(requestId, type) {
      const { address, namespace } = deployment.deployment.temporal
      const { status, stderr } = spawnSync(
        programPath('temporal'),
        [
          ...['workflow', 'reset', '--workflow-id', requestId, '--type', type],
          ...['--reason', 'test', '--address', address, '--namespace', namespace],
        ],
        { encoding: 'utf8' },
      )
      if (status !== 0) throw new Error(stderr)
    },
    async stop() {
      await connection.close()
      await deployment.stop().finally(() => rmSync(state, { recursive: true, force: true }))
    },
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went with one that was killed before it.
  }
}
