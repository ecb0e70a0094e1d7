// What the sample home's person wants kept in mind, written by the memory agent's own code, once. Nothing
// here is anybody's: the files lie in the same folder as those of a real memory.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Entry, idOf } from '../../agents/memory/entry.ts'
import { openMemory } from '../../agents/memory/memory.ts'
import { entriesFile } from '../../agents/memory/store.ts'
import { writeOnce } from './files.ts'

type Sample = Pick<Entry, 'kind' | 'text'>

const samples: readonly Sample[] = [
  { kind: 'fact', text: 'The boiler is serviced each October by the company Huber.' },
  { kind: 'fact', text: 'Bob does not eat nuts.' },
  { kind: 'preference', text: 'Meetings not before nine, and none on Friday afternoons.' },
  {
    kind: 'preference',
    text: 'Trains rather than planes where the journey takes less than a day.',
  },
  { kind: 'episode', text: 'The bicycle was repaired in spring; the rear wheel is new.' },
]

export interface SampleMemory {
  /** The agent's data folder. */
  readonly folder: string
  /** `YYYY-MM-DD` */
  readonly today: string
  /** IANA name. */
  readonly timeZone: string
}

export async function writeMemory({ folder, today, timeZone }: SampleMemory): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await writeOnce(join(folder, 'timezone'), `${timeZone}\n`)
  if (existsSync(join(folder, entriesFile))) return
  const memory = openMemory(folder)
  const remembered = Date.parse(`${today}T00:00:00Z`)
  for (const [index, sample] of samples.entries()) {
    const said = { label: 'UNTRUSTED', source: 'the sample home', expires: null } as const
    const entry = { ...sample, ...said, remembered }
    memory.remember(idOf(`sample home ${index}`), { entry, dryRun: false })
  }
}
