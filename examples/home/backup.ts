// The backups of the sample home, made with the restic of this machine: a month of its notes in the
// repository `home`, and the same repository once more as `damaged`, in which one byte of the largest pack
// is another. Made once; a life that was cut off leaves nothing that looks finished. What is in the notes
// depends on the day and the seed alone; ids do not, because restic draws its keys.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Temporal } from 'temporal-polyfill'
import { writeOnce } from './files.ts'
import { dayAfter } from './ics-writer.ts'
import { sampleNotes } from './sample-notes.ts'

export interface BackupsInput {
  /** `agents/backup` below the state folder. */
  readonly folder: string
  /** Absolute path of the program. */
  readonly restic: string
  /** `YYYY-MM-DD` */
  readonly today: string
  /** IANA name. */
  readonly timeZone: string
  readonly seed: number
}

/** Days before today on whose evening a backup was made: weekly, and yesterday. */
export const backupDays = [28, 21, 14, 7, 1] as const
/** What yesterday's is recent by: a nightly check forgives 26 hours, and this is at most 25.5 ago. */
const backupTime = '23:30'
/** Of a sample: whoever reads this file may restore it. */
const password = 'sample home'

/** The program did not run, or did not do what it was asked for. */
export class BackupsError extends Error {
  override readonly name = 'BackupsError'
}

/** @throws BackupsError, after which nothing of it is there that looks finished */
export async function writeBackups(home: BackupsInput): Promise<void> {
  const { folder } = home
  const repositories = join(folder, 'repositories')
  await mkdir(join(folder, 'scratch'), { recursive: true, mode: 0o700 })
  await writeOnce(join(folder, 'passwords'), `home: ${password}\ndamaged: ${password}\n`)
  if (existsSync(repositories)) return
  const work = await mkdtemp(join(folder, 'making-'))
  try {
    await backUp(work, home)
    await cp(join(work, 'repositories', 'home'), join(work, 'repositories', 'damaged'), {
      recursive: true,
    })
    await damage(join(work, 'repositories', 'damaged'))
    await rename(join(work, 'repositories'), repositories)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function backUp(work: string, { restic, today, timeZone, seed }: BackupsInput) {
  const notes = join(work, 'notes')
  const repository = join(work, 'repositories', 'home')
  for (const path of [notes, repository]) await mkdir(path, { recursive: true, mode: 0o700 })
  const run = async (...words: string[]) => {
    const all = ['--quiet', '--no-cache', '--repo', repository, ...words]
    // Nothing of the person's environment: restic would read its settings from there.
    const env = { RESTIC_PASSWORD: password, TZ: 'UTC', TMPDIR: work }
    try {
      await promisify(execFile)(restic, all, { cwd: notes, env })
    } catch (cause) {
      const said = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
      throw new BackupsError(`restic ${words[0]} did not go well: ${said}`, { cause })
    }
  }
  await run('init')
  for (const back of backupDays) {
    const day = dayAfter(today, -back)
    for (const [name, text] of notesOn(day, { today, seed })) {
      await writeFile(join(notes, `${name}.md`), text)
    }
    await run('backup', '--host', 'sample-desk', '--time', utcOf(day, timeZone), '.')
  }
}

/** The notes as they were in the evening of that day: those of today, and a diary that grows. */
function notesOn(
  day: string,
  { today, seed }: Pick<BackupsInput, 'today' | 'seed'>,
): readonly (readonly [name: string, text: string])[] {
  const weeks = backupDays.map((back) => dayAfter(today, -back)).filter((one) => one <= day)
  return [
    ...sampleNotes,
    ...weeks.map((week) => [`diary-${week}`, diaryOf(week, seed)] as const),
    ['diary', `# Diary\n\n${weeks.map((week) => `- [[diary-${week}]]\n`).join('')}`],
  ]
}

/** Some kilobytes that do not compress to nothing, so that packs have an inside to be damaged. */
function diaryOf(week: string, seed: number): string {
  const lines = Array.from({ length: 60 }, (_, n) => {
    const drawn = createHash('sha256').update(`${seed} ${week} ${n}`).digest('base64')
    return `- ${n + 1}. ${drawn}`
  })
  return `# The week until ${week}\n\n${lines.join('\n')}\n`
}

function utcOf(day: string, timeZone: string): string {
  const at = Temporal.PlainDateTime.from(`${day}T${backupTime}`).toZonedDateTime(timeZone)
  return new Date(at.epochMilliseconds).toISOString().slice(0, 19).replace('T', ' ')
}

async function damage(repository: string): Promise<void> {
  const data = join(repository, 'data')
  if (!existsSync(data)) throw new BackupsError('restic wrote no repository')
  const names = await readdir(data, { recursive: true, withFileTypes: true })
  const packs = await Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = join(entry.parentPath, entry.name)
        return { file, bytes: (await stat(file)).size }
      }),
  )
  const [largest] = packs.toSorted((one, other) => other.bytes - one.bytes)
  if (largest === undefined) throw new BackupsError('restic wrote no pack')
  // Packs are read-only.
  await chmod(largest.file, 0o600)
  const handle = await open(largest.file, 'r+')
  try {
    const at = Math.floor(largest.bytes / 2)
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at)
    await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, at)
  } finally {
    await handle.close()
  }
  await chmod(largest.file, 0o400)
}
