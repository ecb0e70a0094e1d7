// A whole deployment for one test: the real supervisor in a process of its own, a temporary state
// folder, free ports. `stop` ends it as a person would and then proves that nothing is left: no
// process that belongs to the folder, no sandbox, no mount.

import { type ChildProcess, spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bundleAgent } from '../../agents/bundle.ts'
import { type Deployment, deploymentSchema } from '../../security/deployment.ts'
import type { ManifestOverrides, SupervisorTestOptions } from './supervisor-main.ts'

export interface DeploymentOptions {
  /** `sample`: the sample home of today, `web`: with a web server. Else the text of a bulkhead.yaml. */
  readonly home?: 'sample' | { readonly web: string } | { readonly yaml: string }
  /** Written into a bulkhead.yaml that is made here; absent: what a person gets who sets nothing. */
  readonly fastLane?: boolean
  /** Agents to have, `test` being the test agent; absent: the real catalogue. */
  readonly agents?: readonly string[]
  readonly overrides?: Readonly<Record<string, ManifestOverrides>>
  /** Bundles that replace the built ones, by agent. */
  readonly bundles?: Readonly<Record<string, string>>
  readonly notaryEntry?: string
  /** Shortest overlap when keys are rotated; the real one is half a minute. */
  readonly leastOverlapMs?: number
  readonly workerEntry?: string
  /** Uses (and keeps) this state folder instead of a new one. */
  readonly state?: string
  /** Put before the command, for example `setpriv --reuid ...`. */
  readonly wrapper?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The Node to run it with, where another user cannot read ours. */
  readonly node?: string
}

export interface TestDeployment {
  readonly state: string
  readonly process: ChildProcess
  readonly deployment: Deployment
  /** What the supervisor said on standard error so far. */
  said(): string
  control(method: 'GET' | 'POST', path: string): Promise<{ status: number; body: unknown }>
  /** SIGKILL, as a crash would; resolves when the process is gone. */
  kill(): Promise<void>
  /** Ends it in order, proves that nothing is left, deletes the folder unless it was given. */
  stop(): Promise<void>
}

/** Stands in for notary and worker where a test is about the supervisor alone. */
export const stubParty = join(import.meta.dirname, 'stub-party.ts')

const startDeadlineMs = 120_000

/** A state folder with what a deployment of these options needs; not started. */
export async function prepareDeployment(
  options: DeploymentOptions,
): Promise<SupervisorTestOptions> {
  const state = options.state ?? mkdtempSync(join(tmpdir(), 'bulkhead-up-'))
  const configFile = join(state, 'bulkhead.yaml')
  if (!existsSync(configFile)) {
    await writeHome(state, configFile, options)
    if (options.fastLane !== undefined)
      appendFileSync(configFile, `fastLane: ${options.fastLane}\n`)
  }
  const bundles: Record<string, string> = { ...options.bundles }
  if (options.agents?.includes('test') === true && !Object.hasOwn(bundles, 'test')) {
    const bundle = join(state, 'test-agent.mjs')
    await bundleAgent(join(import.meta.dirname, 'test-agent', 'agent.ts'), bundle)
    bundles['test'] = bundle
  }
  const { notaryEntry: notary, workerEntry: worker, leastOverlapMs } = options
  return {
    state,
    configFile,
    bundles,
    ...(options.agents === undefined ? {} : { agents: options.agents }),
    ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
    ...(leastOverlapMs === undefined ? {} : { leastOverlapMs }),
    entries: {
      ...(notary === undefined ? {} : { notary }),
      ...(worker === undefined ? {} : { worker }),
    },
  }
}

async function writeHome(
  state: string,
  configFile: string,
  { home }: DeploymentOptions,
): Promise<void> {
  if (home !== undefined && (home === 'sample' || 'web' in home)) {
    const { generateHome } = await import('../../examples/home/generate.ts')
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    const today = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
    const day = today.format(new Date())
    // Without a server for its feeds and its weather, nobody listens there.
    const web = home === 'sample' ? 'http://127.0.0.1:9' : home.web
    await generateHome({ folder: state, today: day, timeZone, seed: 1, web })
    return
  }
  mkdirSync(join(state, 'counts'), { recursive: true })
  writeFileSync(configFile, home?.yaml ?? 'agents:\n  test:\n    folder: counts\n')
}

export interface StartedSupervisor {
  readonly process: ChildProcess
  readonly said: () => string
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
}

/** Starts the supervisor and does not wait for it. */
export function spawnSupervisor(
  options: SupervisorTestOptions,
  spawning: Pick<DeploymentOptions, 'wrapper' | 'env' | 'node'> = {},
): StartedSupervisor {
  const file = join(options.state, 'test-options.json')
  writeFileSync(file, JSON.stringify(options))
  const main = join(import.meta.dirname, 'supervisor-main.ts')
  // A test that fails before it stops its deployment takes it along.
  const bound = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'TERM', '--'] : []
  const [command = '', ...args] = [
    ...(spawning.wrapper ?? []),
    ...bound,
    spawning.node ?? process.execPath,
    main,
    file,
  ]
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...spawning.env },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? -1 : 128)))
  })
  return { process: child, said: () => said, ended }
}

export async function startDeployment(options: DeploymentOptions = {}): Promise<TestDeployment> {
  const prepared = await prepareDeployment(options)
  const { state } = prepared
  const supervisor = spawnSupervisor(prepared, options)
  const deployment = await untilReady(state, supervisor)
  const remove = () => {
    if (options.state === undefined) rmSync(state, { recursive: true, force: true })
  }
  return {
    state,
    process: supervisor.process,
    deployment,
    said: supervisor.said,
    control: (method, path) => callControl(deployment.controlSocket, method, path),
    async kill() {
      supervisor.process.kill('SIGKILL')
      await supervisor.ended
    },
    async stop() {
      supervisor.process.kill('SIGTERM')
      const code = await supervisor.ended
      const left = findLeftovers(state)
      remove()
      if (code !== 0) throw new Error(`the supervisor ended with ${code}: ${supervisor.said()}`)
      if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`)
    },
  }
}

async function untilReady(state: string, supervisor: StartedSupervisor): Promise<Deployment> {
  const file = join(state, 'run', 'deployment.json')
  const deadline = Date.now() + startDeadlineMs
  const ended = supervisor.ended.then((code) => code)
  for (;;) {
    const code = await Promise.race([ended, delay(20)])
    if (code !== undefined) throw new Error(`no start (exit ${code}): ${supervisor.said()}`)
    // The file of a killed predecessor names another process.
    if (existsSync(file) && /ready after/.test(supervisor.said())) {
      return deploymentSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    }
    if (Date.now() > deadline) {
      supervisor.process.kill('SIGKILL')
      throw new Error(`not ready in time: ${supervisor.said()}`)
    }
  }
}

/** What still belongs to a state folder: processes, containers, mounts. Empty is what is wanted. */
export function findLeftovers(state: string): readonly string[] {
  const runc = join(state, 'run', 'runc')
  return [
    ...processesOf(state).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...(existsSync(runc) ? readdirSync(runc) : []).map((name) => `container ${name}`),
    ...read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(state))
      .map((line) => `mount ${line}`),
  ]
}

/** Processes that name the folder on their command line, or see it through a mount. */
export function processesOf(
  state: string,
): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' '),
      // What is mounted from it. Its ledger volumes are in every namespace that was made meanwhile.
      mounts: read(`/proc/${name}/mountinfo`)
        .split('\n')
        .map((line) => line.split(' ')[3] ?? ''),
    }))
    .filter(
      ({ command, mounts }) =>
        command.includes(state) || mounts.some((from) => from.includes(state)),
    )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** One call over a control socket. */
export function callControl(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }),
      )
    })
    call.on('error', reject).end()
  })
}
