// The supervisor's command line: `up` runs a deployment until it is told to stop, `doctor` looks at
// machine and configuration, `backups` and `restore` are about copies of the audit database. The composition root: the only file here that knows the real catalogue,
// signals and exit codes. The person's command is `bulkhead` (cli/), which calls this.

import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { catalogue } from '../agents/catalogue.ts'
import { SupervisorError, toExitCode } from './codes.ts'
import { readEnvironment } from './config.ts'
import { examine, toText } from './doctor.ts'
import { stateLayout } from './state.ts'
import { listCopies, restoreCopy } from './state-copies.ts'
import { describeCopies, describeRestored } from './state-words.ts'
import { type UpOptions, up } from './up.ts'

const usage = `usage: node supervisor/main.ts up --state <folder> [--config <bulkhead.yaml>]
       node supervisor/main.ts doctor --state <folder> [--config <bulkhead.yaml>] [--json]
       node supervisor/main.ts backups --state <folder> [--json]
       node supervisor/main.ts restore <copy> --state <folder> [--json]`

const commands = ['up', 'doctor', 'backups', 'restore'] as const

/** Returns the exit code: 0, 1 failed, 2 usage. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { command, copy, state, config, json } = readArguments(args)
    if (command === 'backups' || command === 'restore') {
      printCopies(command, { copy, state, json })
      return 0
    }
    const configFile = config ?? stateLayout(state).configuration
    const environment = readEnvironment()
    if (command === 'doctor') {
      const report = await examine({ state, configFile, environment, catalogue })
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : toText(report))
      return report.ok ? 0 : 1
    }
    await runUntilStopped({ state, configFile, environment, catalogue })
    return 0
  } catch (error) {
    return explain(error)
  }
}

function printCopies(
  command: 'backups' | 'restore',
  { copy, state, json }: { readonly copy: string; readonly state: string; readonly json: boolean },
): void {
  if (command === 'backups') {
    const copies = listCopies(state)
    process.stdout.write(json ? `${JSON.stringify(copies)}\n` : describeCopies(copies))
    return
  }
  const restored = restoreCopy(state, copy, Date.now)
  process.stdout.write(json ? `${JSON.stringify(restored)}\n` : describeRestored(restored))
}

function readArguments(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        config: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const [name, copy = '', ...rest] = positionals
    const command = commands.find((one) => one === name)
    if (command === undefined || rest.length > 0 || (copy !== '') !== (command === 'restore'))
      throw new Error('no such command')
    if (values.state === undefined) throw new Error('missing: --state <folder>')
    return {
      command,
      copy,
      state: resolve(values.state),
      config: values.config === undefined ? undefined : resolve(values.config),
      json: values.json,
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SupervisorError('USAGE', `${reason}\n${usage}`, { cause })
  }
}

/** Runs a deployment until SIGINT, SIGTERM or `down`. A second signal ends everything at once. */
export async function runUntilStopped(options: Omit<UpOptions, 'say' | 'stop'>): Promise<void> {
  const stop = new AbortController()
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1
      // The kernel ends the servers with us; the guard ends the sandboxes.
      if (signals > 1) process.exit(130)
      say('stopping')
      stop.abort()
    })
  }
  forbidCoreDumps()
  const startedAt = Date.now()
  const platform = await up({ ...options, say, stop })
  say(
    `ready after ${Date.now() - startedAt} ms; Temporal Web UI: ${platform.deployment.temporal.ui}`,
  )
  if (platform.weakness !== undefined) say(`note: ${platform.weakness}`)
  await platform.stopped
}

/** Of us and of all that we start: a process's memory holds keys, and a dump is a file of it. */
function forbidCoreDumps(): void {
  if (process.platform !== 'linux') return
  execFileSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' })
}

// A terminal that was closed takes no more lines; the platform still stops in order.
process.stderr.on('error', () => undefined)

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Says what went wrong and what to do; returns the exit code. */
export function explain(error: unknown): number {
  if (error instanceof SupervisorError) {
    if (error.code === 'STOPPING') return 0
    say(`${error.code}: ${error.message}`)
    if (error.next !== undefined) say(`next: ${error.next}`)
    return toExitCode(error.code)
  }
  // A bug, or a system error that nobody has words for: the whole of it.
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}

const started = process.argv[1] === undefined ? '' : realpathSync(process.argv[1])
if (started === fileURLToPath(import.meta.url)) process.exit(await main(process.argv.slice(2)))
