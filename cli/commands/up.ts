// `bulkhead up` and `bulkhead start` (what `npm start` calls): the supervisor as a child of this
// command, ready or told why not, and stopped with it. `start` adds the sample home and one run of
// the morning briefing.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateHome } from '../../examples/home/generate.ts'
import { isContinuousIntegration, projectRoot, sampleState } from '../config.ts'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { runLines } from '../run-view.ts'
import { findDeployment, openSession } from '../session.ts'
import { drawRequestId, performRun, readRunSource } from './run.ts'

const readyTimeoutMs = 180_000
const pollMs = 50

interface RunningSupervisor {
  readonly child: ChildProcess
  /** Resolves with the exit code when the supervisor has ended. */
  readonly ended: Promise<number>
}

function startSupervisor(state: string, config: string | undefined): RunningSupervisor {
  const main = join(projectRoot, 'supervisor', 'main.ts')
  const command = [process.execPath, main, 'up', '--state', state]
  if (config !== undefined) command.push('--config', config)
  // The supervisor ends with this command even when this command is killed.
  if (process.platform === 'linux') command.unshift('setpriv', '--pdeathsig', 'TERM')
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', process.stderr, process.stderr] })
  const ended = new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => done(code ?? (signal === null ? 1 : 128)))
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill('SIGTERM'))
  }
  return { child, ended }
}

async function isReady(state: string, pid: number | undefined): Promise<boolean> {
  const deployment = findDeployment(state)
  if (deployment === undefined || deployment.pid !== pid) return false
  const reply = await callControl(deployment.controlSocket, 'GET', '/status').catch(() => undefined)
  const body = reply?.body
  return typeof body === 'object' && body !== null && 'ready' in body && body.ready === true
}

/** @throws CommandError when the supervisor ends before it is ready */
async function untilReady(state: string, supervisor: RunningSupervisor): Promise<void> {
  const ended = supervisor.ended.then((code) => ({ code }))
  const deadline = Date.now() + readyTimeoutMs
  while (!(await isReady(state, supervisor.child.pid))) {
    const end = await Promise.race([ended, sleep(pollMs)])
    if (end !== undefined) {
      throw new CommandError('the platform did not start (the reason is above)', {
        exitCode: end.code === exitCodes.usage ? exitCodes.usage : exitCodes.failed,
        next: `npx bulkhead doctor --state ${state}`,
      })
    }
    if (Date.now() > deadline) {
      supervisor.child.kill('SIGTERM')
      await supervisor.ended
      throw new CommandError('the platform was not ready in three minutes', {
        exitCode: exitCodes.failed,
        next: `look into ${join(state, 'logs')}`,
      })
    }
  }
}

function links(state: string): string[] {
  const deployment = findDeployment(state)
  return deployment === undefined ? [] : [`Temporal Web UI: ${deployment.temporal.ui}`]
}

/** `bulkhead up`: stays until Ctrl-C. */
export async function upCommand(
  output: Output,
  options: { readonly state: string; readonly config: string | undefined },
): Promise<ExitCode> {
  const supervisor = startSupervisor(options.state, options.config)
  await untilReady(options.state, supervisor)
  output.data({ ready: true, state: options.state }, () => [
    'the platform is up',
    ...links(options.state),
  ])
  output.talk('Ctrl-C stops it')
  return (await supervisor.ended) === 0 ? exitCodes.completed : exitCodes.failed
}

function today(timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date())
}

async function prepareSampleHome(state: string): Promise<string> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  await generateHome({ folder: state, today: today(timeZone), timeZone, seed: 1 })
  return join(state, 'bulkhead.yaml')
}

export interface StartOptions {
  readonly state: string | undefined
  readonly config: string | undefined
  readonly once: boolean
  readonly recipe: string
}

/** `npm start`: set-up has run; bring everything up, run the briefing, stay (or leave with --once). */
export async function startCommand(output: Output, options: StartOptions): Promise<ExitCode> {
  const own = options.config ?? (existsSync('bulkhead.yaml') ? 'bulkhead.yaml' : undefined)
  const state = options.state ?? sampleState()
  const config = own === undefined ? await prepareSampleHome(state) : resolve(own)
  if (own === undefined) output.talk(`sample home in ${state}`)
  const supervisor = startSupervisor(state, config)
  await untilReady(state, supervisor)
  let exitCode: ExitCode
  try {
    const session = await openSession(state)
    try {
      const source = readRunSource(options.recipe)
      const requestId = drawRequestId(source.name, new Date())
      const run = await performRun(session, source, output, { inputs: {}, requestId })
      exitCode = run.exitCode
      output.data(run.document, () => runLines(run.document))
    } finally {
      await session.close()
    }
  } catch (error) {
    supervisor.child.kill('SIGTERM')
    await supervisor.ended
    throw error
  }
  if (options.once || isContinuousIntegration()) {
    supervisor.child.kill('SIGTERM')
    await supervisor.ended
    return exitCode
  }
  output.talk('')
  for (const line of links(state)) output.talk(line)
  output.talk(`more:   npx bulkhead runs list --state ${state}`)
  output.talk('Ctrl-C stops the platform')
  await supervisor.ended
  return exitCode
}
