// A real Temporal dev server for one test: file-backed in a folder of its own, on free ports, with
// the settings that the supervisor gives it where they matter to a test. Dies with the test process.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import getPort from 'get-port'
import { programPath } from './programs.ts'

export interface TestTemporal {
  /** host:port */
  readonly address: string
  readonly namespace: string
  /** The server's database, its write-ahead log beside it. */
  readonly databaseFolder: string
  /** SIGKILL; `restart` brings it back on the same address with the same database. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

const startDeadlineMs = 60_000

const namespace = 'bulkhead'

/** @param settings further dynamic configuration, `key=value` */
export async function startTemporal(settings: readonly string[] = []): Promise<TestTemporal> {
  const databaseFolder = await mkdtemp(join(tmpdir(), 'bulkhead-temporal-'))
  const port = await getPort({ host: '127.0.0.1' })
  const address = `127.0.0.1:${port}`
  const program = programPath('temporal')
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless'],
    ...['--disable-config-file', '--disable-config-env', '--namespace', namespace],
    ...['--http-port', String(await getPort({ host: '127.0.0.1' }))],
    ...['--metrics-port', String(await getPort({ host: '127.0.0.1' }))],
    // Priorities hold within a partition.
    ...['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
    ...['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
    ...['--db-filename', join(databaseFolder, 'temporal.db')],
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL'],
    ...['--search-attribute', 'BulkheadStatus=Keyword'],
    ...['--search-attribute', 'BulkheadRecipe=Keyword', '--log-level', 'error'],
    ...[
      'history.transferProcessorMaxPollRPS=2000',
      'system.enableActivityEagerExecution=true',
      ...settings,
    ].flatMap((value) => ['--dynamic-config-value', value]),
  ]
  const [command, ...rest] =
    process.platform === 'linux'
      ? (['setpriv', '--pdeathsig', 'KILL', program, ...args] as const)
      : ([program, ...args] as const)
  let server: ChildProcess | undefined
  let said = ''
  const kill = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }
  const stop = async () => {
    await kill()
    await rm(databaseFolder, { recursive: true, force: true })
  }
  const restart = async () => {
    const started = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
    server = started
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const deadline = Date.now() + startDeadlineMs
    while (!(await serves(address, namespace))) {
      if (started.exitCode !== null || Date.now() > deadline) {
        await stop()
        throw new Error(`temporal did not start:\n${said}`)
      }
      await delay(100)
    }
  }
  await restart()
  return { address, namespace, databaseFolder, kill, restart, stop }
}

async function serves(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | undefined
  try {
    connection = await Connection.connect({ address, connectTimeout: 1_000 })
    await connection.workflowService.describeNamespace({ namespace })
    return true
  } catch {
    return false
  } finally {
    await connection?.close()
  }
}
