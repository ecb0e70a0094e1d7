// Runs the `bulkhead` command as a person would, in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
  readonly cwd?: string
  /** All of its standard input; without it there is none. */
  readonly input?: string
  /** The input does not end: whoever types may go on. */
  readonly staysOpen?: boolean
  /** Another program than the command itself. */
  readonly entry?: string
  /** Through the wrapper that finds Node, in a process group of its own, as a terminal has it. */
  readonly isJob?: boolean
}

export interface CliProcess {
  readonly child: ChildProcess
  /** What it said so far, on both streams. */
  said(): string
  /** Resolves when standard output or error contains the text. */
  says(text: string): Promise<void>
  readonly ended: Promise<CliResult>
}

/**
 * After which what hangs is ended, in milliseconds. A platform stays for all tests of a file, however long
 * a busy machine takes for them.
 */
function lifetimeOf([command]: readonly string[]): number {
  return command === 'start' || command === 'up' ? 40 * 60_000 : 240_000
}

/** Starts the command and does not wait for it. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const isJob = options.isJob === true
  const entry = options.entry ?? join(root, 'cli', isJob ? 'bulkhead.mjs' : 'main.ts')
  const { input } = options
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: options.cwd ?? root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', CI: '', ...options.env },
    timeout: options.timeoutMs ?? lifetimeOf(args),
    detached: isJob,
  })
  // A command that ends early closes its end; what it has not read is nobody's concern.
  child.stdin.on('error', () => undefined)
  child.stdin.write(input ?? '')
  if (options.staysOpen !== true) child.stdin.end()
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
  const said = () => stdout + stderr
  return {
    child,
    said,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (said().includes(text)) resolve()
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        child.once('close', (code) =>
          reject(new Error(`it ended with ${code} and did not say ${text}: ${said()}`)),
        )
        look()
      }),
  }
}

/** Runs the command to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended
}
