// `down`, `status`, `doctor`: what the supervisor says of the platform, over its control
// socket, or (doctor) by a run of its own where nothing is up.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { projectRoot } from '../config.ts'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { findDeployment, notRunning } from '../session.ts'

const stopTimeoutMs = 60_000

const statusSchema = z.object({
  ready: z.boolean(),
  build: z.string(),
  processes: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      pid: z.number().nullish(),
      uid: z.number().nullish(),
      /** Of an agent that is shut out. */
      quarantine: z.looseObject({ code: z.string(), reason: z.string() }).optional(),
      restarts: z.number(),
      sinceMs: z.number().nullish(),
    }),
  ),
  links: z.record(z.string(), z.string()),
  policy: z.looseObject({ digest: z.string(), refused: z.string().nullable() }).nullable(),
  retriever: z.object({ hits: z.number(), misses: z.number() }).nullish(),
})

/** @throws CommandError when the platform is not running */
export async function ask<T>(state: string, path: string, schema: z.ZodType<T>): Promise<T> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const { body } = await callControl(deployment.controlSocket, 'GET', path)
  return schema.parse(body)
}

export async function statusCommand(output: Output, state: string): Promise<ExitCode> {
  const status = await ask(state, '/status', statusSchema)
  output.data(status, () => [
    `${status.ready ? 'ready' : 'not ready'}, build ${status.build}`,
    ...table(
      status.processes.map((one) => [
        one.name,
        one.state,
        one.pid === null || one.pid === undefined ? '-' : `pid ${one.pid}`,
        one.uid === null || one.uid === undefined ? '-' : `user ${one.uid}`,
        `${one.restarts} restarts`,
        one.quarantine === undefined ? '' : `${one.quarantine.code} ${one.quarantine.reason}`,
      ]),
    ),
    ...Object.entries(status.links).map(([name, link]) => `${name}: ${link}`),
    ...policyLines(status.policy),
    ...retrieverLines(status.retriever),
  ])
  return status.ready ? exitCodes.completed : exitCodes.failed
}

/** Nothing, as long as nobody has looked for anything. */
function retrieverLines(counts: z.infer<typeof statusSchema>['retriever']): readonly string[] {
  if (counts === null || counts === undefined) return []
  const { hits, misses } = counts
  return [`find: ${hits} of ${hits + misses} references from the cache`]
}

function policyLines(policy: z.infer<typeof statusSchema>['policy']): readonly string[] {
  if (policy === null) return []
  const { digest, refused } = policy
  if (refused === null) return [`policy: ${digest}`]
  return [
    `policy: ${digest}, because a newer one was refused: ${refused}`,
    'next: npx bulkhead policy check <folder>, then npx bulkhead policy reload',
  ]
}

/** Asks the supervisor to stop and waits until its deployment file is gone. */
export async function downCommand(output: Output, state: string): Promise<ExitCode> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  await callControl(deployment.controlSocket, 'POST', '/down')
  const deadline = Date.now() + stopTimeoutMs
  while (findDeployment(state)?.pid === deployment.pid) {
    if (Date.now() > deadline) {
      throw new CommandError(`the supervisor (pid ${deployment.pid}) did not stop in a minute`, {
        exitCode: exitCodes.failed,
        next: `kill -9 ${deployment.pid}   (everything it started ends with it)`,
      })
    }
    await sleep(50)
  }
  output.data({ down: true, state }, () => ['the platform is down'])
  return exitCodes.completed
}

/** The supervisor's own checks, in a process of its own: works when nothing runs. */
export async function doctorCommand(
  output: Output,
  options: { readonly state: string; readonly config: string | undefined },
): Promise<ExitCode> {
  const args = ['doctor', '--state', options.state]
  if (options.config !== undefined) args.push('--config', options.config)
  return runSupervisor(output, args)
}

/** A command of the supervisor's own, which says everything itself. */
export async function runSupervisor(output: Output, args: readonly string[]): Promise<ExitCode> {
  const main = join(projectRoot, 'supervisor', 'main.ts')
  const words = [main, ...(output.json ? ['--json'] : []), ...args]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('exit', (exit) => done(exit ?? 1))
  })
  return code === 0 ? exitCodes.completed : code === 2 ? exitCodes.usage : exitCodes.failed
}
