// Set-up on machines that lack something, with stand-ins for npm, Go and apt-get on a PATH of their
// own: what it says, that it says it on standard error alone, and what it leaves behind. The real
// npm and Go are exercised by whoever runs `npm start` on a fresh clone.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processesOf } from '../support/deployment.ts'
import { until } from '../support/observer.ts'

const root = join(import.meta.dirname, '..', '..')
const isRoot = process.getuid?.() === 0
/** Where set-up looks for runc beside PATH. */
const systemRunc = ['/usr/local/sbin/runc', '/usr/sbin/runc', '/sbin/runc'].filter(existsSync)
const canHideRunc = systemRunc.length === 0 || isRoot
if (!canHideRunc) console.warn('skipped: set-up without runc (hiding the one there needs root)')
if (!isRoot) console.warn('skipped: a full disk (mounting a file system needs root on Linux)')

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let base: string
let clone: string
let bin: string
let log: string

/** A stand-in: a shell script of that name, which writes down how it was called. */
function standIn(name: string, script: string): void {
  const tools = 'PATH=/usr/bin:/bin'
  writeFileSync(join(bin, name), `#!/bin/sh\n${tools}\necho "${name} $*" >> ${log}\n${script}\n`, {
    mode: 0o755,
  })
}

/** Sets $out to what follows -o. */
const outOf = 'out=; for a in "$@"; do [ "$last" = -o ] && out=$a; last=$a; done'
const goVersion = 'if [ "$1" = version ]; then echo go version go1.24.1 linux/amd64; exit; fi'
/** Its command line names the folder, so that it is found if it is left behind. */
const forever = () => `tail -f ${log} > /dev/null`

function goThat(does: string): void {
  standIn('go', `${goVersion}; ${outOf}\n${does}`)
}

const goodGo = 'sleep 0.5; echo built > "$out"'

function makeClone(name: string): string {
  const folder = join(base, name)
  for (const file of ['setup', 'package.json', 'package-lock.json']) {
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
  for (const file of [
    ...['nats-server/go.mod', 'nats-server/go.sum', 'temporal/go.mod', 'temporal/go.sum'],
    ...['node/package.json', 'node/package-lock.json'],
  ]) {
    cpSync(join(root, 'tools', file), join(folder, 'tools', file))
  }
  return folder
}

function start(options: { clone?: string; wrapper?: readonly string[] } = {}): ChildProcess {
  const main = join(options.clone ?? clone, 'setup', 'main.mjs')
  const [command = '', ...args] = [...(options.wrapper ?? []), process.execPath, main]
  return spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: bin, HOME: join(base, 'home'), XDG_CACHE_HOME: join(base, 'cache') },
  })
}

/** The end of a set-up; standard output belongs to the command that follows it. */
async function ending(child: ChildProcess): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  expect(stdout).toBe('')
  return { code, stdout, stderr }
}

const setUp = (options: Parameters<typeof start>[0] = {}) => ending(start(options))

function calls(pattern: RegExp): readonly string[] {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  return lines.filter((line) => pattern.test(line))
}

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted((left, right) => left.localeCompare(right))
}

const built = () => filesBelow(join(base, 'cache', 'bulkhead', 'tools'))

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-setup-'))
  // Other users run it as well.
  chmodSync(base, 0o755)
  bin = join(base, 'bin')
  log = join(base, 'calls.log')
  mkdirSync(bin)
  clone = makeClone('clone')
  standIn('runc', 'exit 0')
  standIn('npm', 'mkdir -p node_modules')
  goThat(goodGo)
})

afterEach(() => {
  expect(processesOf(base)).toEqual([])
  rmSync(base, { recursive: true, force: true })
})

describe('set-up', () => {
  it('installs and builds what is missing, and nothing the second time', async () => {
    const first = await setUp()
    expect(first.code, first.stderr).toBe(0)
    expect(first.stderr).toContain('building temporal')
    expect(first.stderr).toContain('done in')
    expect(built()).toEqual(['nats-server', 'temporal'])
    rmSync(log)
    expect(await setUp()).toMatchObject({ code: 0, stderr: '' })
    expect(calls(/^(npm|go build)/)).toEqual([])
  })

  it('says at once that Go is missing, and how to get it', async () => {
    rmSync(join(bin, 'go'))
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toMatch(/Go is needed .* not on PATH/)
    expect(stderr).toMatch(/next: .*(install Go|brew install go)/)
    expect(calls(/^npm/)).toEqual([])
  })

  it('does not start a build with a Go that is too old', async () => {
    standIn('go', 'echo go version go1.19.8 linux/amd64')
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain('too old')
    expect(stderr).toMatch(/next: .*1\.21/)
  })

  it('ends the other jobs when one fails, and shows what that one said', async () => {
    standIn('npm', 'echo registry is away >&2; exit 7')
    goThat(forever())
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain('registry is away')
    expect(stderr).toMatch(/next: npm run setup/)
    expect(built()).toEqual([])
  })

  it('leaves no process and no half-built program when it is interrupted', async () => {
    goThat(`echo half > "$out"; ${forever()}`)
    const child = start()
    const end = ending(child)
    await until('both builds run', () => calls(/^go build/).length === 2)
    child.kill('SIGINT')
    const { code, stderr } = await end
    expect(code).toBe(130)
    expect(stderr).not.toContain('failed')
    expect(processesOf(base)).toEqual([])
    expect(built()).toEqual([])
  })

  it('takes over from one that was killed', async () => {
    goThat('sleep 2; echo built > "$out"')
    const child = start()
    const end = ending(child)
    await until('it builds', () => calls(/^go build/).length === 2)
    child.kill('SIGKILL')
    await end
    goThat(goodGo)
    const { code, stderr } = await setUp()
    expect(code, stderr).toBe(0)
    await until('what the killed one started has ended', () => processesOf(base).length === 0)
    expect(built().filter((name) => !name.includes('.'))).toEqual(['nats-server', 'temporal'])
  })

  it('builds once for two that start together, in two clones or in one', async () => {
    const other = makeClone('other')
    const ends = await Promise.all([setUp(), setUp(), setUp({ clone: other })])
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(ends.map(({ stderr }) => stderr).join('')).toContain('waiting for another one')
    expect(calls(/^go build/).length).toBe(2)
    expect(calls(/^npm ci/).length).toBe(2)
    expect(built()).toEqual(['nats-server', 'temporal'])
    expect(existsSync(join(base, 'cache', 'bulkhead', 'set-up.lock'))).toBe(false)
  })

  it.runIf(process.platform === 'linux')('says whose cache folder cannot be written', async () => {
    writeFileSync(join(base, 'cache'), 'a file')
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain(join(base, 'cache'))
    expect(stderr).toContain('next: ')
  })
})

describe.skipIf(!canHideRunc)('set-up without runc', () => {
  beforeEach(() => rmSync(join(bin, 'runc')))

  /** In a mount namespace of its own, where the system's runc is an empty device. */
  function withoutRunc(...command: readonly string[]): readonly string[] {
    if (systemRunc.length === 0) return command
    const hide = [...new Set(systemRunc.map((file) => realpathSync(file)))]
      .map((file) => `/usr/bin/mount --bind /dev/null ${file}`)
      .join(' && ')
    return ['/usr/bin/unshare', '-m', '/bin/sh', '-c', `${hide} && exec "$@"`, 'sh', ...command]
  }
  const asSomebody = isRoot
    ? ['/usr/bin/setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups', '--']
    : []

  it('names runc and what to install where there is no apt-get', async () => {
    const { code, stderr } = await setUp({ wrapper: withoutRunc() })
    expect(code).toBe(1)
    expect(stderr).toContain('runc is not installed')
    expect(stderr).toMatch(/next: install the package runc/)
    expect(calls(/^(npm|go)/)).toEqual([])
  })

  it('prints the command for an ordinary user', async () => {
    standIn('apt-get', 'exit 0')
    chmodSync(join(base, 'bin'), 0o755)
    writeFileSync(log, '', { mode: 0o666 })
    chmodSync(log, 0o666)
    const { code, stderr } = await setUp({ wrapper: withoutRunc(...asSomebody) })
    expect(code).toBe(1)
    expect(stderr).toContain('next: sudo apt-get install -y runc')
    expect(calls(/^apt-get .*install/)).toEqual([])
  })

  it.runIf(isRoot)('installs it as root with apt, and says so', async () => {
    standIn('apt-get', `[ "$1" = install ] && cp /bin/true ${join(bin, 'runc')}; exit 0`)
    const { code, stderr } = await setUp({ wrapper: withoutRunc() })
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('installing the sandbox runtime (apt-get install -y runc)')
    expect(calls(/^apt-get install .*runc/).length).toBe(1)
  })
})

describe.skipIf(!isRoot || process.platform !== 'linux')('set-up on a full disk', () => {
  let disk: string

  beforeEach(() => {
    disk = join(base, 'cache')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
  })
  afterEach(() => {
    execFileSync('umount', [disk])
  })

  it('says so when a build meets it, and leaves no half-built program', async () => {
    goThat('dd if=/dev/zero of="$out" bs=64k count=64')
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain('the disk is full')
    expect(stderr).toContain('next: free some disk space')
    expect(built()).toEqual([])
  })

  it('says so before it starts anything where nothing can be written at all', async () => {
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${join(disk, 'filler')} bs=4k || true`], {
      stdio: 'ignore',
    })
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain('next: free some disk space')
    expect(calls(/^(npm|go build)/)).toEqual([])
  })
})
