// The OCI driver: runs a sandbox with runc, as root or rootless. Writes the bundle (config.json and
// a root of empty mount points), starts it detached, waits for the agent's ready line, watches the
// process. The runtime's state lies in a folder of this deployment, so that two deployments never
// see each other's containers. What the sandbox may reach is oci-spec.ts's decision.

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openRuntimeFolder } from '../agent-ownership.ts'
import { SupervisorError } from '../codes.ts'
import { parseReadyLine } from '../launch.ts'
import { processStartTime } from '../lock.ts'
import { compareVersions } from '../toolchain.ts'
import type { RunningSandbox, SandboxDriver, SandboxRequest } from './driver.ts'
import { readFacts } from './facts.ts'
import { canCountSwap } from './host.ts'
import { type SandboxSpec, toOciConfig } from './oci-spec.ts'
import type { OciSeccomp } from './seccomp.ts'

export interface RuncOptions {
  /** Path of the program. */
  readonly runc: string
  /** Private folder for the runtime's state. */
  readonly root: string
  /** Prefix of every container's name: `bh-<deployment>-`. */
  readonly prefix: string
  readonly seccomp: OciSeccomp
  /** Of a sandbox that may run programs; without it none is started. */
  readonly programSeccomp?: OciSeccomp
  /** Whether control groups can be made: as root. */
  readonly canLimit: boolean
  /** Words that show the mapped user what lies below closed folders; none where nothing does. */
  readonly view: readonly string[]
}

/** An agent that ends by itself is also noticed by its closed socket; this is the slowest road. */
const watchEveryMs = 500
const run = promisify(execFile)

export function createRuncDriver(options: RuncOptions): SandboxDriver {
  const remove = async (name: string) => {
    await run(options.runc, ['--root', options.root, 'delete', '-f', name]).catch(() => undefined)
    // Without the runtime's own record there is nothing that it could still delete.
    const folder = join(options.root, name)
    if (!existsSync(join(folder, 'state.json'))) rmSync(folder, { recursive: true, force: true })
  }
  return {
    name: 'oci',
    async start(request) {
      writeBundle(request, options)
      try {
        const { pid, closed } = await startContainer(request, options)
        const sandbox = watchSandbox({ name: request.spec.name, pid, remove })
        void closed.then(sandbox.look)
        return sandbox
      } catch (error) {
        await remove(request.spec.name)
        throw error
      }
    },
    async sweep() {
      mkdirSync(options.root, { recursive: true, mode: 0o700 })
      const left = readdirSync(options.root).filter((name) => name.startsWith(options.prefix))
      await Promise.all(left.map(remove))
      return left
    },
    facts: (pid) => readFacts(pid, 'runc'),
  }
}

function writeBundle({ spec, folder }: SandboxRequest, options: RuncOptions): void {
  rmSync(folder, { recursive: true, force: true })
  const rootFolder = join(folder, 'root')
  mkdirSync(rootFolder, { recursive: true, mode: 0o700 })
  for (const path of ['/proc', '/dev', '/tmp']) mkdirSync(join(rootFolder, path))
  for (const mount of spec.mounts) {
    const path = join(rootFolder, mount.at)
    mkdirSync(mount.kind === 'folder' ? path : dirname(path), { recursive: true })
    if (mount.kind === 'file') writeFileSync(path, '')
  }
  const config = toOciConfig(spec, {
    seccomp: filterOf(spec, options),
    rootFolder,
    countsPerNamespace: compareVersions(release(), '5.14.0') >= 0,
    countsSwap: canCountSwap(),
    ...(options.canLimit ? { cgroupsPath: `/bulkhead/${spec.name}` } : {}),
  })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  if (spec.user.uid !== process.getuid?.()) openRuntimeFolder(folder)
}

/** @throws SupervisorError SANDBOX_FAILED where there is no filter for what it wants */
function filterOf(spec: SandboxSpec, options: RuncOptions): OciSeccomp {
  const filter = spec.runsPrograms === true ? options.programSeccomp : options.seccomp
  if (filter === undefined) throw sandboxFailed(spec, 'no filter for programs')
  return filter
}

/**
 * Returns the host's process id once the agent has said that it is ready. `closed` resolves when the
 * agent's output ends, which a living agent has no reason to do.
 */
async function startContainer(
  request: SandboxRequest,
  options: RuncOptions,
): Promise<{ readonly pid: number; readonly closed: Promise<void> }> {
  const { spec, folder, log } = request
  const pidFile = join(folder, 'pid')
  const [program = '', ...words] = [...options.view, options.runc]
  const child = spawn(
    program,
    // Detached: no runtime process stays behind for each agent.
    [
      ...words,
      '--root',
      options.root,
      'run',
      '-d',
      '-b',
      folder,
      '--pid-file',
      pidFile,
      '--preserve-fds',
      '1',
      spec.name,
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: {}, detached: true },
  )
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk))
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) => reject(sandboxFailed(spec, cause.message)))
    child.once('exit', (code) => {
      // The runtime's own message reaches the log a moment after its end.
      if (code !== 0) setTimeout(() => reject(sandboxFailed(spec, log.tail())), 50)
    })
  })
  const stop = new AbortController()
  const timeout = delay(request.startTimeoutMs, undefined, { signal: stop.signal }).then(
    () => Promise.reject(sandboxFailed(spec, `not ready after ${request.startTimeoutMs} ms`)),
    () => new Promise<never>(() => undefined),
  )
  try {
    await Promise.race([waitReady(child.stdio[3] as Readable, request), failed, timeout])
  } finally {
    stop.abort()
    // Nothing more is to come; keeping it open would keep a descriptor for each agent.
    child.stdio[3]?.destroy()
  }
  return { pid: Number.parseInt(readFileSync(pidFile, 'utf8'), 10), closed }
}

async function waitReady(pipe: Readable, { spec, log }: SandboxRequest): Promise<void> {
  let text = ''
  for await (const chunk of pipe) {
    text += String(chunk)
    if (text.includes('\n') || text.length > 64 * 1024) break
  }
  if (text === '') {
    // Ended without a word: what it wrote to its log says why.
    await delay(100)
    throw sandboxFailed(spec, log.tail() || 'ended before it was ready')
  }
  const line = parseReadyLine(text, spec.hostname)
  if (!line.ready) throw sandboxFailed(spec, line.message)
}

function sandboxFailed(spec: SandboxSpec, reason: string): SupervisorError {
  return new SupervisorError('SANDBOX_FAILED', `${spec.hostname}: ${reason}`)
}

/** Not our child once detached, so its end is seen by looking; the start time guards reused ids. */
function watchSandbox(sandbox: {
  readonly name: string
  readonly pid: number
  readonly remove: (name: string) => Promise<void>
}): RunningSandbox {
  const { name, pid } = sandbox
  const startTime = processStartTime(pid)
  const isAlive = () => startTime !== undefined && processStartTime(pid) === startTime
  let look = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    look = () => {
      if (!isAlive()) resolve()
    }
  })
  const timer = setInterval(() => look(), watchEveryMs)
  timer.unref()
  const exited = ended.then(async () => {
    clearInterval(timer)
    await sandbox.remove(name)
  })
  look()
  const signal = (which: NodeJS.Signals) => {
    if (!isAlive()) return
    try {
      process.kill(pid, which)
    } catch {
      // It ended in between.
    }
  }
  return {
    name,
    pid,
    exited,
    isAlive,
    look: () => look(),
    async stop(timeoutMs) {
      signal('SIGTERM')
      for (let waited = 0; isAlive() && waited < timeoutMs; waited += 20) await delay(20)
      signal('SIGKILL')
      while (isAlive()) await delay(10)
      look()
      await exited
    },
  }
}
