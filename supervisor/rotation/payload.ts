// Rotation of the keys that encrypt what is stored: the payloads in Temporal's history, which worker
// and command share, and the artifacts, which the worker alone opens. A history outlives its key, so
// an old key goes on opening what it closed and closes nothing more; it is deleted once Temporal holds
// no run that was begun before. Until then whoever has it can read those runs, and could write
// payloads that would be opened: what this cannot do is make a stolen decryption key harmless at once.
// The keys that sealed artifacts stay as long as the artifacts.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  currentOf,
  parseKeyRing,
  promoted,
  type RingKey,
  renderKeyRing,
  withNext,
} from '../../security/key-ring.ts'
import { personFolder } from '../../security/pki/identities.ts'
import type { KeyRotation, ListedKey, RotatedKeys } from './contract.ts'
import type { RecordPhase } from './phases.ts'
import { replaceFile } from './replace-file.ts'

export interface PayloadRotationInput {
  /** The state folder. */
  readonly state: string
  /** Ids of the people besides the owner, whose commands have copies too. */
  readonly users: readonly string[]
  readonly record: RecordPhase
  readonly now: () => number
  /** How many runs Temporal still holds that were begun before then. */
  readonly countRunsBefore: (time: number) => Promise<number>
}

/** The copy of the command follows a moment after the worker's file, and clocks are read in both. */
const marginMs = 60_000

export function createPayloadRotation(input: PayloadRotationInput): KeyRotation {
  const { now, record } = input
  const worker = join(input.state, 'worker', 'payload.key')
  const copies = ['', ...input.users.map(personFolder)].map((person) =>
    join(input.state, person, 'cli', 'payload.key'),
  )
  const sealing = join(input.state, 'worker', 'sealing.key')
  /** The worker's first: prepareKeys goes on from it. */
  const write = (ring: readonly RingKey[]) => {
    for (const file of [worker, ...copies]) replaceFile(file, renderKeyRing(ring))
  }
  const use = async (say: (line: string) => void): Promise<RotatedKeys> => {
    const before = read(worker)
    const after = promoted(before, now())
    write(after)
    const seals = read(sealing)
    const isOlder = currentOf(seals).since < currentOf(after).since
    if (isOlder) {
      const next = promoted(withNext(seals, randomBytes(32), now()), now())
      replaceFile(sealing, renderKeyRing(next))
    }
    const keys = { retired: [currentOf(before).id], current: currentOf(after).id }
    await record({ phase: 'in-use', previous: currentOf(before).id, current: keys.current })
    say('worker and command encrypt with the new key; the old one only opens what is there')
    return keys
  }
  const forget = async (say: (line: string) => void): Promise<void> => {
    const ring = read(worker)
    const needed = await Promise.all(ring.map((key) => isNeeded(key, input)))
    const kept = ring.filter((_key, index) => needed[index])
    if (kept.length === ring.length) return
    write(kept)
    const gone = ring.filter((key) => !kept.includes(key))
    await record({ phase: 'deleted', previous: gone[0]?.id ?? '', current: currentOf(kept).id })
    say(`deleted, because no run needs it any more: ${gone.map(({ id }) => id).join(', ')}`)
  }
  return {
    kind: 'payload',
    async rotate(say, signal) {
      signal.throwIfAborted()
      await forget(say)
      const ring = read(worker)
      if (!ring.some(({ state }) => state === 'next')) {
        const next = withNext(ring, randomBytes(32), now())
        write(next)
        say('worker and command can open what the new key will close')
      }
      // No turning back from here, and nothing to wait for: each looks before it encrypts.
      return await use(say)
    },
    async resume(say) {
      const isHalf = read(worker).some(({ state }) => state === 'next')
      const keys = isHalf ? await use(say) : undefined
      await forget(say)
      return keys
    },
    async list() {
      return [
        ...read(worker).map(toListed),
        ...read(sealing).map((key) => ({ ...toListed(key), id: `artifacts:${key.id}` })),
      ]
    },
  }
}

async function isNeeded(key: RingKey, input: PayloadRotationInput): Promise<boolean> {
  if (key.state !== 'retiring') return true
  return (await input.countRunsBefore(key.since + marginMs)) > 0
}

const read = (file: string) => parseKeyRing(readFileSync(file, 'utf8'))

const toListed = ({ id, state, since }: RingKey): ListedKey => ({ id, state, since })
