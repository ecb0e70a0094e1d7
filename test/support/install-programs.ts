// How each test program is made: from Python's registry with every version pinned, from the packages of
// Debian 12 unpacked beside each other, or from a pinned Go module. Into the folder it is given; nothing
// of the system changes.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type InstalledName =
  | 'radicale'
  | 'aw-server'
  | 'restic'
  | 'restic-newer'
  | 'borg'
  | 'hledger'

interface Recipe {
  /** What its folder's name must change with. */
  readonly key: () => string | Promise<string>
  /** Fills `work`, which becomes `folder`. */
  readonly make: (work: string, folder: string) => Promise<void>
  readonly run: (folder: string) => {
    readonly command: string
    readonly args?: readonly string[]
    readonly env?: NodeJS.ProcessEnv
    /** Arguments after which it says its version on standard output. */
    readonly version: readonly string[]
  }
}

const tools = join(import.meta.dirname, '..', '..', 'tools')

/** The newest that Debian 12 has: the generation before restic's machine-readable checks. */
const bookworm = 'bookworm-2'

export const recipes: Readonly<Record<InstalledName, Recipe>> = {
  radicale: fromPython('radicale', 'radicale'),
  'aw-server': fromPython('aw-server', 'aw_server'),
  restic: fromDebian(['restic'], (folder) => ({
    command: join(folder, 'usr/bin/restic'),
    version: ['version'],
  })),
  'restic-newer': fromGo('restic', 'github.com/restic/restic/cmd/restic'),
  borg: fromDebian(
    [
      'borgbackup',
      // Its own interpreter: the modules of one release are of no use to another's.
      ...['python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib'],
      ...['python3-msgpack', 'python3-packaging', 'python3-pkg-resources'],
      ...['libacl1', 'liblz4-1', 'libzstd1', 'libxxhash0', 'libssl3', 'libexpat1'],
    ],
    (folder) => ({ command: join(folder, 'borg'), env: debianLibraries(folder), version: ['-V'] }),
    (work, folder) => {
      const script = readFileSync(join(work, 'usr/bin/borg'), 'utf8')
      const own = script.replace(/^#!.*/, `#!${join(folder, 'usr/bin/python3.11')}`)
      writeFileSync(join(work, 'borg'), own)
      chmodSync(join(work, 'borg'), 0o755)
    },
  ),
  hledger: fromDebian(['hledger', 'libgmp10', 'libtinfo6', 'libffi8'], (folder) => ({
    command: join(folder, 'usr/bin/hledger'),
    env: { ...debianLibraries(folder), LANG: 'C.UTF-8' },
    version: ['--version'],
  })),
}

export async function keyOf(name: InstalledName): Promise<string> {
  return recipes[name].key()
}

const execute = promisify(execFile)
/** Of a build's output. */
const maxBuffer = 64 * 1024 * 1024

function fromPython(name: string, module: string): Recipe {
  const file = join(tools, name, 'requirements.txt')
  return {
    key: async () => {
      // Compiled parts are of one release of Python.
      const { stdout } = await execute('python3', ['--version'])
      return digest(readFileSync(file, 'utf8'), stdout)
    },
    make: async (work) => {
      const target = ['--target', work, '--no-deps', '--requirement', file]
      const quiet = ['--no-input', '--quiet', '--disable-pip-version-check']
      await execute('python3', ['-m', 'pip', 'install', ...quiet, ...target], { maxBuffer })
    },
    run: (folder) => ({
      command: 'python3',
      args: ['-m', module],
      env: { PATH: process.env['PATH'], PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
      version: ['--version'],
    }),
  }
}

function fromDebian(
  packages: readonly string[],
  run: Recipe['run'],
  finish: (work: string, folder: string) => void = () => undefined,
): Recipe {
  return {
    key: () => digest(bookworm, ...packages),
    make: async (work, folder) => {
      const downloads = join(work, 'packages')
      mkdirSync(downloads)
      const download = ['download', ...packages]
      const own = privateLists(join(work, 'lists'))
      await execute('apt-get', download, { cwd: downloads, maxBuffer }).catch(async () => {
        // A machine that has just been made knows of no package yet.
        await execute('apt-get', [...own, 'update'], { maxBuffer })
        await execute('apt-get', [...own, ...download], { cwd: downloads, maxBuffer })
      })
      rmSync(join(work, 'lists'), { recursive: true })
      for (const file of readdirSync(downloads)) {
        await execute('dpkg', ['-x', join(downloads, file), work])
      }
      // Packages of before the merge of /lib into /usr.
      const old = join(work, 'lib')
      if (existsSync(old)) cpSync(old, join(work, 'usr/lib'), { recursive: true })
      finish(work, folder)
    },
    run,
  }
}

/** What apt knows of packages, kept in a folder of our own. */
function privateLists(folder: string): readonly string[] {
  mkdirSync(join(folder, 'partial'), { recursive: true })
  return [
    '-o',
    `Dir::State::Lists=${folder}`,
    '-o',
    'Dir::Cache::pkgcache=',
    '-o',
    'Dir::Cache::srcpkgcache=',
  ]
}

/** The system's own C library, and what else of it is not among the packages. */
function debianLibraries(folder: string): NodeJS.ProcessEnv {
  const triplets: Readonly<Record<string, string>> = {
    x64: 'x86_64-linux-gnu',
    arm64: 'aarch64-linux-gnu',
  }
  return { LD_LIBRARY_PATH: join(folder, 'usr/lib', triplets[process.arch] ?? '') }
}

function fromGo(name: string, path: string): Recipe {
  const cwd = join(tools, name)
  return {
    key: () => digest(readFileSync(join(cwd, 'go.sum'), 'utf8')),
    make: async (work) => {
      const flags = ['-trimpath', '-modcacherw', '-mod=readonly', '-ldflags=-s -w']
      const env = { ...process.env, CGO_ENABLED: '0' }
      await execute('go', ['build', ...flags, '-o', join(work, name), path], {
        ...{ cwd, env, maxBuffer },
      })
    },
    run: (folder) => ({ command: join(folder, name), version: ['version'] }),
  }
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)
}
