// borg behind the common interface. Never takes a lock (`--bypass-lock`). Not by `borg check`, which would
// write into the repository's configuration: archives are read whole and thrown away, which verifies each
// of their chunks. The passphrase goes in by standard input.

import { join } from 'node:path'
import { z } from 'zod'
import { readStored } from '../data-folder.ts'
import {
  type BackupTool,
  type Change,
  type Damage,
  jsonLines,
  logLine,
  maxListBytes,
  maxPath,
  maxWordsBytes,
  parseJson,
  plainWords,
  type Surroundings,
  ToolError,
  toMessages,
  versionIn,
} from './tool.ts'

const archivesSchema = z.object({
  archives: z.array(
    z.object({
      name: z.string().max(maxPath),
      start: z.string(),
      hostname: z.string().optional(),
    }),
  ),
})
const infoSchema = z.object({
  archives: z.array(
    z.object({ name: z.string(), stats: z.object({ original_size: z.number().int().min(0) }) }),
  ),
})
const itemSchema = z.object({
  type: z.literal('-'),
  path: z.string().max(maxPath),
  size: z.number().int().min(0).default(0),
})
const differenceSchema = z.object({
  path: z.string().max(maxPath),
  changes: z.array(z.object({ type: z.string() })),
})
const listedSchema = z.object({ message: z.string(), name: z.literal('borg.output.list') })
const logSchema = z.object({
  message: z.string(),
  msgid: z.string().optional(),
  name: z.string().optional(),
})

/** Runs borg with the passphrase and a place for what it keeps. */
function openRunner({ context, password, scratch }: Surroundings) {
  const env = {
    BORG_PASSPHRASE_FD: '0',
    BORG_BASE_DIR: join(scratch, 'borg'),
    // The same repository is found in another place inside a sandbox.
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  }
  return async (
    args: readonly string[],
    { maxBytes = maxListBytes, cwd = scratch }: { maxBytes?: number; cwd?: string } = {},
  ) => {
    const { code, stdout, stderr } = await context.run({
      ...{ program: 'borg', args: ['--log-json', ...args], env, cwd, maxBytes },
      input: `${password}\n`,
    })
    if (/"msgid": "(PassphraseWrong|NoPassphraseFailure)"/.test(stderr)) {
      throw new ToolError('WRONG_PASSWORD', 'wrong passphrase')
    }
    if (/"msgid": "Repository\.(DoesNotExist|InvalidRepository)/.test(stderr)) {
      throw new ToolError('UNREADABLE', 'no repository')
    }
    return { code, stdout, stderr }
  }
}

export function openBorg(surroundings: Surroundings): BackupTool {
  const { folder } = surroundings
  const run = openRunner(surroundings)
  /** 1 is a warning, which a question can live with. @throws ToolError */
  const ask = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args)
    if (code <= 1) return Buffer.from(stdout).toString()
    const messages = toMessages([`borg ended with ${code}`, ...wordsOf(stderr)])
    throw new ToolError('UNREADABLE', messages.join(' '))
  }
  const archive = (name: string) => `${folder}::${name}`

  return {
    program: 'borg',
    async version() {
      const { stdout } = await run(['--version'], { maxBytes: maxWordsBytes })
      return versionIn(stdout)
    },
    async snapshots() {
      const said = await ask(['list', '--bypass-lock', '--json', '--format', '{hostname}', folder])
      const { archives } = archivesSchema.safeParse(parseJson(said)).data ?? { archives: [] }
      return archives
        .map(({ name, start, hostname }) => ({
          ...{ id: name, takenAt: Date.parse(`${start}Z`), paths: [], bytes: null },
          host: hostname === undefined ? null : plainWords(hostname),
        }))
        .filter(({ takenAt }) => !Number.isNaN(takenAt))
        .toSorted((one, other) => one.takenAt - other.takenAt)
    },
    async check(part) {
      const names = (await this.snapshots()).map(({ id }) => id)
      const chosen =
        part === null
          ? names.slice(-1)
          : // The newest is what one would restore from.
            names.filter((_, at) => at % part.of === part.n - 1 || at === names.length - 1)
      const how = part === null ? ['list', '--json-lines'] : ['extract', '--dry-run', '--list']
      const failed: string[][] = []
      for (const name of chosen) {
        const { code, stderr } = await run([...how, '--bypass-lock', archive(name)])
        if (code !== 0) failed.push(stderr.split('\n'))
      }
      return {
        ...{ part, ok: failed.length === 0, damaged: damagedSegments(folder, failed) },
        messages: toMessages(failed.flatMap((lines) => wordsOf(lines.join('\n')))),
      }
    },
    async files(snapshot, paths) {
      const wanted = paths.map((path) => `pp:${path}`)
      const format = ['--json-lines', '--format', '{size}']
      const said = await ask(['list', '--bypass-lock', ...format, archive(snapshot), ...wanted])
      return jsonLines(said).flatMap((line) => {
        const item = itemSchema.safeParse(line)
        return item.success ? [{ path: item.data.path, bytes: item.data.size }] : []
      })
    },
    async content(snapshot, path, maxBytes) {
      const words = ['extract', '--bypass-lock', '--stdout', archive(snapshot), `pp:${path}`]
      const { code, stdout } = await run(words, { maxBytes })
      return code === 0 ? stdout : null
    },
    async restore(snapshot, paths, into) {
      const wanted = paths.map((path) => `pp:${path}`)
      const plain = ['--noacls', '--noxattrs', '--noflags', '--numeric-ids']
      await run(['extract', '--bypass-lock', ...plain, archive(snapshot), ...wanted], { cwd: into })
    },
    async changes(a, b) {
      const said = await ask(['diff', '--bypass-lock', '--json-lines', archive(a), b])
      return jsonLines(said).flatMap((line) => toChange(line))
    },
    async sizes(snapshots) {
      const last = ['--last', String(snapshots.length)]
      const said = parseJson(await ask(['info', '--bypass-lock', '--json', ...last, folder]))
      const { archives } = infoSchema.safeParse(said).data ?? { archives: [] }
      const sizes = new Map(archives.map(({ name, stats }) => [name, stats.original_size]))
      return snapshots.map(({ id }) => sizes.get(id) ?? 0)
    },
  }
}

/** One with a key in it has a few kilobytes. */
const maxConfigBytes = 1024 * 1024

/** Empty where there is none. @throws ActionFailure for what is no file of its size */
export function readBorgConfig(folder: string): string {
  return readStored(folder, 'config', maxConfigBytes)?.bytes.toString('utf8') ?? ''
}

/**
 * Segments lie in folders of a thousand: `data/<n / 1000>/<n>` (borg's data structures). Reading ends with
 * the first that is damaged, at the file that was listed last.
 */
function damagedSegments(
  folder: string,
  failed: readonly (readonly string[])[],
): readonly Damage[] {
  const [, said = 1_000] = /^segments_per_dir = (\d+)$/m.exec(readBorgConfig(folder)) ?? []
  const perFolder = Number(said)
  const held = new Map<string, string[]>()
  for (const lines of failed) {
    const number = Number(/\[segment (\d+), offset \d+\]/.exec(lines.join('\n'))?.[1])
    if (Number.isNaN(number)) continue
    const file = `data/${Math.floor(number / perFolder)}/${number}`
    const last = lines
      .map((line) => listedSchema.safeParse(logLine(line)))
      .findLast((one) => one.success)
    const path = last?.data?.message ?? []
    held.set(file, [...new Set([...(held.get(file) ?? []), ...[path].flat()])])
  }
  return [...held].map(([file, holds]) => ({ file, holds }))
}

function wordsOf(stderr: string): readonly string[] {
  return stderr.split('\n').flatMap((line) => {
    const parsed = logSchema.safeParse(logLine(line))
    if (!parsed.success) return line.startsWith('{') ? [] : line
    const { msgid, name } = parsed.data
    const isAside = msgid === 'BORG_RELOCATED_REPO_ACCESS_IS_OK' || name === 'borg.output.list'
    return isAside ? [] : parsed.data.message.split('\n')
  })
}

const contentTypes = ['modified', 'added', 'removed']

function toChange(line: unknown): readonly Change[] {
  const parsed = differenceSchema.safeParse(line)
  if (!parsed.success) return []
  const { path, changes } = parsed.data
  const type = changes.map((change) => change.type).find((one) => contentTypes.includes(one))
  if (type === 'added') return [{ path, kind: 'added' }]
  if (type === 'removed') return [{ path, kind: 'removed' }]
  return type === undefined ? [] : [{ path, kind: 'changed' }]
}
