// `bulkhead up` and `bulkhead start` (what `npm start` calls): the supervisor as a child of this
// command, ready or told why not, and stopped with it. `start` adds the sample home and one run of
// the morning briefing.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { generateHome } from '../../examples/home/generate.ts'
import { chooseStartState, isContinuousIntegration } from '../config.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { runLines } from '../run-view.ts'
import { findDeployment, openSession } from '../session.ts'
import { interrupted, startSupervisor, untilEnded, untilReady } from '../supervisor-process.ts'
import { drawRequestId, performRun, readRunSource } from './run.ts'

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
  await untilEnded(supervisor)
  return exitCodes.completed
}

function today(timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date())
}

async function prepareSampleHome(state: string): Promise<string> {
  const unusable = (reason: string, cause?: unknown) =>
    new CommandError(`the sample home cannot be written to ${state}: ${reason}`, {
      exitCode: exitCodes.failed,
      next: 'npm start -- --state <a folder of yours>',
      cause,
    })
  try {
    if (!mayHoldHome(state)) throw unusable('something else is there')
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    await generateHome({ folder: state, today: today(timeZone), timeZone, seed: 1 })
  } catch (cause) {
    // What the system refuses: rights, a full disk, a file where a folder should be.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    throw unusable(cause.message, cause)
  }
  return join(state, 'bulkhead.yaml')
}

/** New, empty, or a state folder of this user: nothing is written beside a person's own files. */
function mayHoldHome(state: string): boolean {
  if (!existsSync(state)) return true
  const uid = process.getuid?.()
  if (uid !== undefined && statSync(state).uid !== uid) return false
  const names = readdirSync(state)
  return names.length === 0 || names.includes('bulkhead.yaml') || names.includes('agents')
}

export interface StartOptions {
  readonly state: string | undefined
  readonly config: string | undefined
  readonly once: boolean
  readonly recipe: string
}

/** `npm start`: set-up has run; bring everything up, run the briefing, stay (or leave with --once). */
export async function startCommand(output: Output, options: StartOptions): Promise<ExitCode> {
  const source = readRunSource(options.recipe)
  const own = options.config ?? (existsSync('bulkhead.yaml') ? 'bulkhead.yaml' : undefined)
  const state = chooseStartState(options.state, own === undefined)
  const config = own === undefined ? await prepareSampleHome(state) : resolve(own)
  output.talk(own === undefined ? `sample home in ${state}` : `${config} on ${state}`)
  const supervisor = startSupervisor(state, config)
  await untilReady(state, supervisor)
  let exitCode: ExitCode
  try {
    const session = await openSession(state)
    try {
      const requestId = drawRequestId(source.name, new Date())
      const run = await performRun(session, source, output, { inputs: {}, requestId })
      exitCode = run.exitCode
      output.data(run.document, () => runLines(run.document))
    } finally {
      await session.close()
    }
  } catch (error) {
    const wasInterrupted = supervisor.isInterrupted()
    await supervisor.stop()
    throw wasInterrupted ? interrupted() : error
  }
  if (options.once || isContinuousIntegration()) {
    await supervisor.stop()
    return exitCode
  }
  output.talk('')
  for (const line of links(state)) output.talk(line)
  output.talk(`more:   npx bulkhead runs list --state ${state}`)
  output.talk('Ctrl-C stops the platform')
  await untilEnded(supervisor)
  return exitCode
}
