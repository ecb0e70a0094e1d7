// A whole deployment whose one agent is health, in its real sandbox: plans are run by the command, as a
// person would, and the agent's process is looked at from outside.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type CliProcess, startCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { processOf } from '../support/observer.ts'

const runSchema = z.object({
  status: z.string(),
  answer: z.string().nullish(),
  steps: z.array(
    z.object({
      id: z.string(),
      outcome: z.string(),
      attempts: z.number(),
      code: z.string().nullish(),
    }),
  ),
})
export type HealthRun = z.infer<typeof runSchema>

export interface HealthDeployment {
  /** Where exports are put. */
  readonly exports: string
  /** Runs steps of the agent; `answer` is the template of the answer, over their results. */
  run(steps: readonly string[], answer: string): Promise<HealthRun>
  /** Runs a recipe of the project. */
  recipe(name: string, inputs: Readonly<Record<string, string>>): Promise<HealthRun>
  /** As `run`, not waited for. */
  begin(steps: readonly string[], answer: string): Running
  /** Of the sandbox's first process; undefined when the agent is not running. */
  pid(): Promise<number | undefined>
  stop(): Promise<void>
}

export interface Running {
  readonly process: CliProcess
  readonly ended: Promise<HealthRun>
}

const configuration = `timezone: Europe/Vienna
agents:
  health:
    folder: agents/health/data
    exports: agents/health/exports
`

export async function startHealthDeployment(): Promise<HealthDeployment> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-health-up-'))
  const [data, exports] = ['data', 'exports'].map((name) => join(state, 'agents', 'health', name))
  if (data === undefined || exports === undefined) throw new Error('no folders')
  for (const folder of [data, exports]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(data, 'timezone'), 'Europe/Vienna\n')
  writeFileSync(join(state, 'bulkhead.yaml'), configuration)
  const deployment: TestDeployment = await startDeployment({ state, agents: ['health'] })
  const start = (words: readonly string[]): Running => {
    const args = ['run', ...words, '--state', state, '--json']
    const process = startCli(args, { timeoutMs: 1_500_000 })
    const ended = process.ended.then(({ stdout, stderr }) => {
      if (stdout === '') throw new Error(stderr)
      return runSchema.parse(JSON.parse(stdout))
    })
    return { process, ended }
  }
  let plans = 0
  const begin = (steps: readonly string[], answer: string): Running => {
    plans += 1
    const plan = join(state, `plan-${plans}.yaml`)
    writeFileSync(plan, planOf(steps, answer))
    return start([plan])
  }
  return {
    exports,
    begin,
    run: (steps, answer) => begin(steps, answer).ended,
    recipe: (name, inputs) =>
      start([
        name,
        ...Object.entries(inputs).flatMap(([key, value]) => ['--input', `${key}=${value}`]),
      ]).ended,
    async pid() {
      return (
        (await processOf(deployment, 'agent health.0').catch(() => undefined))?.pid ?? undefined
      )
    },
    async stop() {
      await deployment.stop().finally(() => rmSync(state, { recursive: true, force: true }))
    },
  }
}

function planOf(steps: readonly string[], answer: string): string {
  const ids = steps.flatMap((step) => /id: (\w+)/.exec(step)?.[1] ?? [])
  const [lines, template] = [steps.map((step) => `  - ${step}\n`).join(''), answer.trim()]
  return `version: 1\ngoal: Ask about health\nsteps:\n${lines}answer:\n  from: [${ids.join(', ')}]\n  template: |\n    ${template.replaceAll('\n', '\n    ')}\n`
}

export interface Confinement {
  /** The most that was ever resident, of /proc/<pid>/status (proc_pid_status(5)). */
  readonly peakBytes: number
  /** 2: filtered. */
  readonly seccomp: number
  /** Its own numbers of itself, the innermost last. */
  readonly pids: readonly number[]
}

export function confinementOf(pid: number): Confinement {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? ''
  return {
    peakBytes: Number(/^\d+/.exec(field('VmHWM'))?.[0]) * 1_024,
    seccomp: Number(field('Seccomp')),
    pids: field('NSpid').split(/\s+/).map(Number),
  }
}
