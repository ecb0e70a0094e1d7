// A folder of real repositories for the backup agent, made with the real programs, and the programs
// themselves in place of a sandbox's. Repositories cannot be written to while the agent looks at them:
// as root, only a mount is proof of that, and test/integration/backup.test.ts has one.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { agent } from '../../agents/backup/agent.ts'
import { type manifest, repositoriesAt, scratchAt } from '../../agents/backup/manifest.ts'
import type { ActionContext, ProgramRequest } from '../../agents/define-agent.ts'
import { judgeResult } from '../../plan/result-rules.ts'
import { canonicalJson, type JsonValue } from '../../security/verify/canonical-json.ts'
import { contextOf, idemOf } from '../agents/action-context.ts'
import type { Installed } from './installed.ts'
import { runnerOf } from './installed-runner.ts'

type Actions = typeof manifest.actions
type Result<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

export const password = 'correct horse'

export interface BackupWorld {
  /** Its folders: `repositories`, `scratch`, and `home`, which is backed up. */
  readonly folder: string
  /** Milliseconds since the epoch. */
  now: number
  /** Text of the secret. */
  passwords: string
  /** What the agent asked of programs. */
  readonly asked: ProgramRequest[]
  /** Aborts what is under way. */
  stop: AbortController
  repository(name: string): string
  put(path: string, content: string | Uint8Array): void
  run<Name extends keyof Actions>(action: Name, args: object, as?: string): Promise<Result<Name>>
  remove(): void
}

export function openBackups(programs: Readonly<Record<string, Installed>>): BackupWorld {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-backups-'))
  for (const name of ['repositories', 'scratch', 'home']) mkdirSync(join(folder, name))
  const runner = runnerOf(programs)
  const places: Readonly<Record<string, string>> = {
    [repositoriesAt]: join(folder, 'repositories'),
    [scratchAt]: join(folder, 'scratch'),
  }
  const world: BackupWorld = {
    folder,
    now: Date.now(),
    passwords: '',
    asked: [],
    stop: new AbortController(),
    repository: (name) => join(folder, 'repositories', name),
    put(path, content) {
      const file = join(folder, 'home', path)
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, content)
    },
    async run(action, args, as = 'one') {
      const bound = agent.actions.get(action)
      const call = bound?.prepare(args)
      if (bound === undefined || call === undefined) throw new Error('refused arguments')
      const context: ActionContext = {
        ...contextOf({ folder, now: world.now }, idemOf(as)),
        now: () => world.now,
        signal: world.stop.signal,
        folder: (at) => places[at] ?? at,
        secret: () => world.passwords,
        run: (request) => {
          world.asked.push(request)
          return runner(request, world.stop.signal)
        },
      }
      const result = await call(context)
      const judged = judgeResult(canonicalJson(result as JsonValue), bound.declaration)
      if (!judged.ok) throw new Error(`the result is refused: ${judged.fault}`)
      return judged.value as Result<typeof action>
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
  return world
}

/** Makes a repository and backs `home` up into it. */
export interface Backuper {
  init(name: string): void
  backup(name: string): void
}

export function resticOf(world: BackupWorld, { command, env }: Installed): Backuper {
  const restic = (name: string, ...args: string[]) =>
    execFileSync(command, ['-q', '--no-cache', '-r', world.repository(name), ...args], {
      env: { ...env, RESTIC_PASSWORD: password },
      cwd: join(world.folder, 'home'),
      stdio: 'pipe',
    })
  return {
    init: (name) => void restic(name, 'init'),
    backup: (name) => void restic(name, 'backup', '--host', 'desk', '.'),
  }
}

export function borgOf(world: BackupWorld, { command, env }: Installed): Backuper {
  let count = 0
  const borg = (...args: string[]) =>
    execFileSync(command, args, {
      env: { ...env, BORG_PASSPHRASE: password, BORG_BASE_DIR: join(world.folder, 'borg') },
      cwd: join(world.folder, 'home'),
      stdio: 'pipe',
    })
  mkdirSync(join(world.folder, 'borg'), { recursive: true })
  return {
    init: (name) => void borg('init', '-e', 'repokey-blake2', world.repository(name)),
    backup: (name) => {
      count += 1
      borg('create', `${world.repository(name)}::day-${count}`, '.')
    },
  }
}

/** Every file below with its size and time: what a look must not change. */
export function stateOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .toSorted((one, other) => one.localeCompare(other))
}
