// Run by the test of memory on a full disk, inside a mount namespace: remembers until the disk is full, looks
// at what is there, forgets, and does both again where there is room. Prints one line of JSON.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ActionFailure } from '../../agents/define-agent.ts'
import { idOf } from '../../agents/memory/entry.ts'
import { openMemory } from '../../agents/memory/memory.ts'

const [folder = ''] = process.argv.slice(2)
const now = Date.parse('2026-11-21T08:00:00Z')
const filler = join(folder, 'filler')
writeFileSync(filler, Buffer.alloc(64 * 1_024))

const ids = Array.from({ length: 500 }, (_, index) => idOf(`entry ${index}`))
const textOf = (id: string) => `${id} `.repeat(60)
const attempt = (work: () => unknown): string => {
  try {
    work()
    return 'done'
  } catch (error) {
    return error instanceof ActionFailure ? `${error.code} ${error.retry}` : String(error)
  }
}
const remember = (id: string) => {
  const about = { kind: 'fact', label: 'UNTRUSTED', source: null, expires: null } as const
  const entry = { ...about, text: textOf(id), remembered: now }
  // Each as a process that has just started.
  return attempt(() => openMemory(folder).remember(id, { entry, dryRun: false }))
}
const forget = (id: string) => {
  const command = { by: idOf('forget'), now, dryRun: false }
  return attempt(() => openMemory(folder).forget(id, command))
}
const readable = () =>
  openMemory(folder).look(now, ({ words }) => {
    const whole = words.all().filter(({ id, entry }) => entry.text === textOf(id))
    return whole.map(({ id }) => id)
  })

const kept: string[] = []
let refusal = 'none'
for (const id of ids) {
  const outcome = remember(id)
  if (outcome === 'done') kept.push(id)
  else {
    refusal = outcome
    break
  }
}
const [first = '', ...others] = kept
const refused = ids[kept.length] ?? ''
const isWhole = JSON.stringify(readable()) === JSON.stringify(kept)
const whileFull = forget(first)
rmSync(filler)
const withRoom = [forget(first), remember(refused)]
const isRight = JSON.stringify(readable()) === JSON.stringify([...others, refused])
process.stdout.write(
  `${JSON.stringify({ kept: kept.length > 10, refusal, isWhole, whileFull, withRoom, isRight })}\n`,
)
