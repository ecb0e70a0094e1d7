// The health agent's folders in the sample home: its own with the time zone, and one with an export.xml of
// six weeks. Invariant: an export that somebody else put there stays; the generator's own is written anew
// each day.

import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { replace, writeOnce } from './files.ts'
import { healthExport, sampleMark } from './health.ts'
import { dayAfter } from './ics-writer.ts'

/** Long enough for a baseline, and for an export of four megabytes that is taken in within a second. */
const daysBefore = 42

export interface HealthFolderInput {
  /** `agents/health` below the state folder. */
  readonly folder: string
  readonly today: string
  readonly timeZone: string
  readonly seed: number
}

export async function writeHealth({
  folder,
  today,
  timeZone,
  seed,
}: HealthFolderInput): Promise<void> {
  const [data, exports] = [join(folder, 'data'), join(folder, 'exports')]
  for (const path of [data, exports]) await mkdir(path, { recursive: true, mode: 0o700 })
  await writeOnce(join(data, 'timezone'), `${timeZone}\n`)
  const file = join(exports, 'export.xml')
  const head = await headOf(file)
  const isOurs = head === '' || head.includes('<!-- of the sample home, until ')
  if (!isOurs || head.includes(sampleMark(today))) return
  const years = { from: dayAfter(today, -daysBefore), to: today, timeZone, seed, pulseMinutes: 10 }
  await replace(file, healthExport(years))
}

/** Empty when there is no such file. */
async function headOf(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(1_024), 0, 1_024, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
