// The screen time folder of the sample home: the zone, a person's own categories, and a month either side
// of today as macOS's database. Written once; what is there stays.

import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeOnce } from './files.ts'
import { writeKnowledge } from './screentime.ts'

const dayMs = 24 * 3_600_000
/** The records of days to come count when they have come. */
const daysAhead = 31

const categories = `# Which apps and sites are what: a name with a dot is a site with all below it. The first that fits
# counts; what is in no list here may be in the agent's own short one, and is Other otherwise.
Household: [libreoffice writer, docs.example.com]
Play: [steam, lichess.org]
`

export interface ScreentimeFolder {
  readonly folder: string
  /** `YYYY-MM-DD` */
  readonly today: string
  /** IANA name. */
  readonly timeZone: string
  readonly seed: number
}

export async function writeScreentime(home: ScreentimeFolder): Promise<void> {
  const { folder, today, timeZone, seed } = home
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const database = join(folder, 'knowledgeC.db')
  if (existsSync(database)) return
  await writeOnce(join(folder, 'timezone'), `${timeZone}\n`)
  await writeOnce(join(folder, 'categories.yaml'), categories)
  // Under its name only when it is whole.
  const temporary = `${database}.${process.pid}.tmp`
  try {
    writeKnowledge(temporary, { lastDay: Date.parse(today) + daysAhead * dayMs, days: 62, seed })
    await rename(temporary, database)
  } finally {
    await rm(temporary, { force: true })
  }
}
