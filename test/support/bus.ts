// A real bus server for one test: identities and configuration as the supervisor makes them, in a
// folder of its own, on a free port. `stop` ends the process and removes the folder; the server also
// dies with the test process, however that ends.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import getPort from 'get-port'
import type { Replica } from '../../security/pki/accounts.ts'
import { credentialFolders, prepareIdentities } from '../../security/pki/identities.ts'
import { isServerVersionFit, parseServerVersion } from '../../security/pki/server-version.ts'
import { programPath } from './programs.ts'

export interface TestBus {
  readonly state: string
  readonly host: string
  readonly port: number
  /** Credentials folder of an account, as connectBus takes it. */
  credentials(account: string): string
  /** A bare client with an account's real credentials, for what our own code would never send. */
  connectRaw(account: string): Promise<NatsConnection>
  /** What the server has logged so far. */
  log(): string
  stop(): Promise<void>
}

const startDeadlineMs = 20_000

export async function startBus(input: {
  readonly replicas: readonly Replica[]
  /** Changes the generated configuration, where a test cannot wait for the real figures. */
  readonly adjust?: (config: string) => string
}): Promise<TestBus> {
  const program = programPath('nats-server')
  const version = parseServerVersion(execFileSync(program, ['--version'], { encoding: 'utf8' }))
  if (version === undefined || !isServerVersionFit(version)) {
    throw new Error(`${program} is version ${version ?? 'unknown'}; next: npm run setup`)
  }
  const state = await mkdtemp(join(tmpdir(), 'bulkhead-bus-'))
  const bus = { host: '127.0.0.1', port: await getPort({ host: '127.0.0.1' }) }
  let server: ChildProcess | undefined
  let log = ''
  const stop = async () => {
    if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit')
      server.kill('SIGKILL')
      await exited
    }
    await rm(state, { recursive: true, force: true })
  }
  try {
    await prepareIdentities({ state, deployment: 'testtest', replicas: input.replicas, bus })
    const config = join(state, 'nats', 'nats.conf')
    if (input.adjust !== undefined) {
      await writeFile(config, input.adjust(await readFile(config, 'utf8')))
    }
    server = spawnBound(program, ['-c', config])
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    await waitUntilReady(server, () => log)
  } catch (error) {
    await stop()
    throw error
  }
  const folders = credentialFolders(input.replicas)
  const credentials = (account: string) => {
    const folder = folders.get(account)
    if (folder === undefined) throw new Error(`no credentials of ${account}`)
    return join(state, folder)
  }
  return {
    state,
    ...bus,
    credentials,
    connectRaw: (account) => connectRaw(credentials(account), bus, account),
    log: () => log,
    stop,
  }
}

/** A child that the kernel kills with us, where the kernel can. */
function spawnBound(program: string, args: readonly string[]): ChildProcess {
  const [command, ...rest] =
    process.platform === 'linux'
      ? (['setpriv', '--pdeathsig', 'KILL', program, ...args] as const)
      : ([program, ...args] as const)
  return spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
}

async function waitUntilReady(server: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + startDeadlineMs
  let failure: Error | undefined
  server.once('error', (error) => {
    failure = error
  })
  while (!log().includes('Server is ready')) {
    if (failure !== undefined) throw failure
    if (server.exitCode !== null) throw new Error(`nats-server ended at start:\n${log()}`)
    if (Date.now() > deadline) throw new Error(`nats-server is not ready in time:\n${log()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function connectRaw(
  folder: string,
  bus: { readonly host: string; readonly port: number },
  account: string,
): Promise<NatsConnection> {
  return await connect({
    servers: `${bus.host}:${bus.port}`,
    inboxPrefix: `_INBOX_${account}`,
    authenticator: nkeyAuthenticator(await readFile(join(folder, 'nkey.seed'))),
    tls: {
      handshakeFirst: true,
      caFile: join(folder, 'ca.pem'),
      certFile: join(folder, 'cert.pem'),
      keyFile: join(folder, 'key.pem'),
    },
    reconnect: false,
    timeout: 5_000,
  })
}
