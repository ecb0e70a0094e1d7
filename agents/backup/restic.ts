// restic behind the common interface: from 0.14, whose check speaks plain text, to those that speak JSON
// everywhere. Never takes a lock (`--no-lock`): what it could lock, it could not write to anyway, and an
// interrupted check leaves nothing behind. The password goes in by standard input; `--quiet`, because older
// ones would say so on standard output.

import { z } from 'zod'
import { maxListed } from './manifest.ts'
import {
  type BackupTool,
  type Change,
  type CheckResult,
  type Damage,
  jsonLines,
  logLine,
  maxListBytes,
  maxPath,
  maxWordsBytes,
  parseJson,
  plainWords,
  type Snapshot,
  type Surroundings,
  ToolError,
  toMessages,
  versionIn,
} from './tool.ts'

const snapshotSchema = z.object({
  id: z.string().max(maxPath),
  time: z.string(),
  hostname: z.string().default(''),
  paths: z.array(z.string()).nullish(),
  summary: z
    .object({ total_bytes_processed: z.number().int().min(0) })
    .optional()
    .catch(undefined),
})
const nodeSchema = z.object({
  struct_type: z.literal('node'),
  type: z.literal('file'),
  path: z.string().max(maxPath),
  size: z.number().int().min(0).default(0),
})
const changeSchema = z.object({
  message_type: z.literal('change'),
  path: z.string().max(maxPath),
  modifier: z.string(),
})
const foundSchema = z.array(z.object({ path: z.string().max(maxPath).optional().catch(undefined) }))
const statsSchema = z.object({ total_size: z.number().int().min(0) })

/** Of restic since 0.17; before, its words say it. */
const exitCodes = { noRepository: 10, wrongPassword: 12 } as const

export function openRestic({ context, folder, password, scratch }: Surroundings): BackupTool {
  const env = { TMPDIR: scratch, GOMAXPROCS: '2' }
  const run = async (args: readonly string[], maxBytes: number = maxListBytes) => {
    // A difference that is told quietly has no files in it.
    const quiet = args[0] === 'diff' ? [] : ['--quiet']
    const words = ['--repo', folder, ...quiet, '--no-cache', '--no-lock', ...args]
    const { code, stdout, stderr } = await context.run({
      ...{ program: 'restic', args: words, env, maxBytes },
      input: `${password}\n`,
    })
    if (code === exitCodes.wrongPassword || /wrong password or no key found/i.test(stderr)) {
      throw new ToolError('WRONG_PASSWORD', 'wrong password')
    }
    if (code === exitCodes.noRepository) throw new ToolError('UNREADABLE', 'no repository')
    return { code, stdout, stderr }
  }
  /** @throws ToolError unless it says that it has done it */
  const ask = async (args: readonly string[], maxBytes?: number): Promise<string> => {
    const { code, stdout, stderr } = await run(args, maxBytes)
    if (code === 0) return Buffer.from(stdout).toString()
    throw new ToolError('UNREADABLE', toMessages([`restic ended with ${code}: ${stderr}`]).join())
  }

  return {
    program: 'restic',
    async version() {
      const { stdout } = await context.run({
        program: 'restic',
        args: ['version'],
        maxBytes: maxWordsBytes,
      })
      return versionIn(stdout)
    },
    async snapshots() {
      const said = z.array(z.unknown()).safeParse(parseJson(await ask(['snapshots', '--json'])))
      const snapshots = (said.data ?? []).flatMap((one) => toSnapshot(one))
      return snapshots.toSorted((one, other) => one.takenAt - other.takenAt)
    },
    async check(part) {
      const data = part === null ? [] : [`--read-data-subset=${part.n}/${part.of}`]
      const { code, stdout, stderr } = await run(['check', '--json', ...data], maxWordsBytes)
      const packs = damagedPacks(Buffer.from(stdout).toString(), stderr)
      const damaged: Damage[] = []
      for (const [index, pack] of packs.entries()) {
        // Each takes a look at the whole index; nobody reads more of them.
        damaged.push(index < maxListed ? await damageOf(pack, run) : damageIn(pack, []))
      }
      const messages = code === 0 ? [] : toMessages(wordsOf(stderr))
      return { part, ok: code === 0, damaged, messages } satisfies CheckResult
    },
    async files(snapshot, paths) {
      const said = await ask(['ls', '--json', snapshot, '--', ...paths])
      return jsonLines(said).flatMap((line) => {
        const node = nodeSchema.safeParse(line)
        return node.success ? [{ path: node.data.path, bytes: node.data.size }] : []
      })
    },
    async content(snapshot, path, maxBytes) {
      const { code, stdout } = await run(['dump', snapshot, '--', path], maxBytes)
      return code === 0 ? stdout : null
    },
    async restore(snapshot, paths, into) {
      const wanted = paths.flatMap((path) => ['--include', literal(path)])
      // It also complains where it may not give files to their owners, which a sandbox cannot.
      await run(['restore', snapshot, '--target', into, ...wanted], maxWordsBytes)
    },
    async changes(a, b) {
      return jsonLines(await ask(['diff', '--json', a, b])).flatMap((line) => toChange(line))
    },
    async sizes(snapshots) {
      const sizes: number[] = []
      for (const { id, bytes } of snapshots) {
        sizes.push(bytes ?? (await sizeOf(id, ask)))
      }
      return sizes
    },
  }
}

async function sizeOf(id: string, ask: (args: readonly string[]) => Promise<string>) {
  const said = parseJson(await ask(['stats', '--json', '--mode', 'restore-size', id]))
  return statsSchema.safeParse(said).data?.total_size ?? 0
}

function toSnapshot(value: unknown): readonly Snapshot[] {
  const parsed = snapshotSchema.safeParse(value)
  if (!parsed.success) return []
  const { id, time, hostname, paths, summary } = parsed.data
  const takenAt = Date.parse(time)
  if (Number.isNaN(takenAt)) return []
  const bytes = summary?.total_bytes_processed ?? null
  const host = plainWords(hostname)
  const folders = (paths ?? []).filter((path) => path.length <= maxPath)
  return [{ id, takenAt, host: host === '' ? null : host, paths: folders, bytes }]
}

/** Ids of packs that cannot be right: of the summary, or of the words before there was one. */
function damagedPacks(stdout: string, stderr: string): readonly string[] {
  const summary = /"broken_packs":\[([^\]]*)\]/.exec(stdout)?.[1] ?? ''
  const said = [
    ...summary.matchAll(/[0-9a-f]{64}/g),
    ...stderr.matchAll(/pack ([0-9a-f]{64})[: ]/gi),
    ...stderr.matchAll(/Pack ID does not match, want ([0-9a-f]{64})/g),
  ]
  return [...new Set(said.map(([all, id = all]) => id))]
}

const damageIn = (pack: string, holds: readonly string[]): Damage => ({
  ...{ file: `data/${pack.slice(0, 2)}/${pack}`, holds },
})

async function damageOf(
  pack: string,
  run: (args: readonly string[]) => Promise<{ code: number; stdout: Uint8Array }>,
): Promise<Damage> {
  const { code, stdout } = await run(['find', '--json', '--pack', pack])
  if (code !== 0) return damageIn(pack, [])
  const said = Buffer.from(stdout).toString().trim()
  const found = foundSchema.safeParse(parseJson(said === '' ? '[]' : said))
  const paths = (found.data ?? []).flatMap(({ path }) => path ?? [])
  return damageIn(
    pack,
    [...new Set(paths)].toSorted((one, other) => one.localeCompare(other)),
  )
}

const messageSchema = z.object({
  message_type: z.enum(['error', 'exit_error']),
  message: z.string(),
})

function wordsOf(stderr: string): readonly string[] {
  return stderr.split('\n').map((line) => {
    const parsed = messageSchema.safeParse(logLine(line))
    return parsed.success ? parsed.data.message : line
  })
}

function toChange(line: unknown): readonly Change[] {
  const parsed = changeSchema.safeParse(line)
  // Folders end with a slash.
  if (!parsed.success || parsed.data.path.endsWith('/')) return []
  const { path, modifier } = parsed.data
  if (modifier.includes('+')) return [{ path, kind: 'added' }]
  if (modifier.includes('-')) return [{ path, kind: 'removed' }]
  return /[MT]/.test(modifier) ? [{ path, kind: 'changed' }] : []
}

/** A path as a pattern of itself. */
function literal(path: string): string {
  return path.replaceAll(/[\\*?[\]$]/g, '\\$&')
}
