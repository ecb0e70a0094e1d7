// Runs a program that the manifest declares and the supervisor put into the sandbox: no shell, no
// environment but what is asked for, bounded output, and its whole process group is killed with the
// action. Which programs there are to execute at all is the sandbox's doing (docs/adr/0041), not this
// file's: whoever has taken over the agent does not come by here.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { ActionFailure } from './define-agent.ts'
import type { ProgramRequest, ProgramResult } from './program-request.ts'

/** As `config.json` of the sandbox says it. */
export interface ProgramPlace {
  readonly name: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export type ProgramRunner = (request: ProgramRequest, signal: AbortSignal) => Promise<ProgramResult>

/** Kept of standard error: its end, where programs say why they failed. */
const stderrBytes = 256 * 1024

/** See `ActionContext.run`. */
export function createProgramRunner(places: readonly ProgramPlace[]): ProgramRunner {
  return async (request, signal) => {
    const place = places.find(({ name }) => name === request.program)
    const [command, ...words] = place?.command ?? []
    if (place === undefined || command === undefined) {
      throw new ActionFailure('UNAVAILABLE', 'final', `there is no program ${request.program}`)
    }
    if (signal.aborted) throw new ActionFailure('CANCELLED', 'absent')
    const child = spawn(command, [...words, ...request.args], {
      cwd: request.cwd ?? '/',
      env: { ...request.env, ...place.env },
      // A group of its own: what it starts ends with it.
      detached: true,
      stdio: 'pipe',
    })
    return untilEnd(child, request, signal)
  }
}

function untilEnd(
  child: ChildProcessWithoutNullStreams,
  { program, input, maxBytes }: ProgramRequest,
  signal: AbortSignal,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = []
    let bytes = 0
    let stderr = Buffer.alloc(0)
    let failure: ActionFailure | undefined
    const end = (why: ActionFailure) => {
      failure ??= why
      killGroup(child)
    }
    const onAbort = () => end(new ActionFailure('CANCELLED', 'absent', `${program} was killed`))
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) stdout.push(chunk)
      else end(new ActionFailure('LIMIT_EXCEEDED', 'final', `${program} said too much`))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-stderrBytes)
    })
    // A program that does not want to read all of it is not an error of ours.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
    child.once('error', (cause) => {
      signal.removeEventListener('abort', onAbort)
      reject(new ActionFailure('UNAVAILABLE', 'final', `${program} did not start`, cause))
    })
    // What it started and left behind ends with it, and holds its output open no longer.
    child.once('exit', () => killGroup(child))
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', onAbort)
      if (failure !== undefined) reject(failure)
      else
        resolve({
          code: exitCode(code, by),
          stdout: Buffer.concat(stdout),
          stderr: stderr.toString(),
        })
    })
  })
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

function killGroup({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}
