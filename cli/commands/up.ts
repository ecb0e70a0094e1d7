// `bulkhead up` and `bulkhead start` (what `npm start` calls): the supervisor as a child of this
// command, ready or told why not, and stopped with it. `start` adds the sample home and one run of
// the morning briefing.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { chooseStartState, isContinuousIntegration } from '../config.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { runLines } from '../run-view.ts'
import { isSampleHome, openSampleHome } from '../sample-home.ts'
import { findDeployment, withSession } from '../session.ts'
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
  const { state, config } = options
  const home = (await isSampleHome(state, config)) ? await openSampleHome(state, output) : undefined
  try {
    const supervisor = startSupervisor(state, config)
    await untilReady(state, supervisor)
    output.data({ ready: true, state }, () => ['the platform is up', ...links(state)])
    output.talk('Ctrl-C stops it')
    await untilEnded(supervisor)
    return exitCodes.completed
  } finally {
    await home?.close()
  }
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
  if (own !== undefined) {
    output.talk(`${resolve(own)} on ${state}`)
    return bringUp({ state, config: resolve(own), source, once: options.once }, output)
  }
  const home = await openSampleHome(state, output)
  try {
    output.talk(`sample home in ${state}`)
    return await bringUp({ state, config: home.configFile, source, once: options.once }, output)
  } finally {
    await home.close()
  }
}

interface Start {
  readonly state: string
  readonly config: string
  readonly source: ReturnType<typeof readRunSource>
  readonly once: boolean
}

async function bringUp({ state, config, source, once }: Start, output: Output): Promise<ExitCode> {
  const supervisor = startSupervisor(state, config)
  await untilReady(state, supervisor)
  let exitCode: ExitCode
  try {
    const requestId = drawRequestId(source.name, new Date())
    exitCode = await withSession(state, async (session) => {
      const run = await performRun(session, source, output, { inputs: {}, requestId })
      output.data(run.document, () => runLines(run.document))
      return run.exitCode
    })
  } catch (error) {
    const wasInterrupted = supervisor.isInterrupted()
    await supervisor.stop()
    throw wasInterrupted ? interrupted() : error
  }
  if (once || isContinuousIntegration()) {
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
