// Which user ids a deployment has when it is started as root: a block of 256, drawn at random from a
// range that distributions leave alone, and entered below /var/lib/bulkhead/ids, so that two
// deployments of a machine never share one. The ids have no account, no name and no login. A party
// keeps its id for as long as the state folder exists; a block whose state folder is gone is free.
// The gap: ids are numbers. Files that were given to an id and lie outside the state folder still
// belong to it when the block is drawn again (one chance in 900,000).

import { randomInt } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { SupervisorError } from './codes.ts'
import { claimLock, type StateLock } from './lock.ts'
import { type Owners, oneUser, partyNames } from './ownership.ts'

export interface IdRange {
  readonly first: number
  readonly last: number
}

export const blockSize = 256
/** Agents come after the parties; the gap is for parties of later versions. */
const firstAgent = 16

/**
 * Preferred first. The upper one lies beyond the ranges that systemd, useradd and container runtimes
 * hand out (systemd's UIDS-GIDS: free up to 2147352575). The lower one is for containers that have
 * 65,536 ids: above what useradd reaches on such a system, below systemd's dynamic users.
 */
const ranges: readonly IdRange[] = [
  { first: 1_900_000_000, last: 2_147_352_575 },
  { first: 30_000, last: 59_999 },
]

/** The ids that exist here, from /proc/self/uid_map or gid_map (user_namespaces(7)). */
export function parseIdMap(text: string): readonly IdRange[] {
  return [...text.matchAll(/^\s*(\d+)\s+\d+\s+(\d+)\s*$/gm)].map(([, first, size]) => ({
    first: Number(first),
    last: Number(first) + Number(size) - 1,
  }))
}

/** The first range that both maps contain whole; undefined when there is none. */
export function chooseRange(uidMap: string, gidMap: string): IdRange | undefined {
  const maps = [parseIdMap(uidMap), parseIdMap(gidMap)]
  return ranges.find((range) => maps.every((map) => map.some((part) => contains(part, range))))
}

/** Of this process. */
export function readIdMaps(): { readonly uid: string; readonly gid: string } {
  const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8')
  return { uid: read('uid_map'), gid: read('gid_map') }
}

const contains = (outer: IdRange, inner: IdRange) =>
  outer.first <= inner.first && inner.last <= outer.last

const idsSchema = z.strictObject({
  version: z.literal(1),
  first: z.number().int(),
  /** Blocks that this state folder had before: as the original of a copy, or on another machine. */
  former: z.array(z.number().int()),
  /** Distance of each agent's id from `first`. */
  agents: z.record(z.string(), z.number().int()),
})
type Ids = z.infer<typeof idsSchema>
const entrySchema = z.object({ state: z.string() })

export interface IdsInput {
  /** The state folder; exists. */
  readonly state: string
  /** `/var/lib/bulkhead/ids`. */
  readonly registry: string
  /** Replicas, and for each the name under which its id is kept: who shares a name shares the id. */
  readonly agents: readonly { readonly agent: string; readonly n: number; readonly key: string }[]
  readonly maps: { readonly uid: string; readonly gid: string }
}

const recordOf = (state: string) => join(state, 'ids.json')

/**
 * The ids of this deployment's parties; drawn the first time.
 * @throws SupervisorError STATE_UNUSABLE when `ids.json` is damaged or there are too many agents
 */
export async function claimOwners(input: IdsInput): Promise<Owners> {
  const range = chooseRange(input.maps.uid, input.maps.gid)
  if (range === undefined) {
    return oneUser('all processes run as root: this container has too few user ids for more')
  }
  const state = realpathSync(input.state)
  try {
    mkdirSync(input.registry, { recursive: true, mode: 0o755 })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return oneUser(`all processes run as root: ${input.registry} cannot be made (${reason})`)
  }
  const lock = await awaitLock(input.registry)
  try {
    return toOwners(claim(state, range, input), input)
  } finally {
    lock.release()
  }
}

/** Held for milliseconds by whoever starts at the same time. */
async function awaitLock(registry: string): Promise<StateLock> {
  for (let tries = 0; ; tries++) {
    try {
      return claimLock(join(registry, 'lock'), registry)
    } catch (error) {
      if (tries === 200 || !(error instanceof SupervisorError)) throw error
      await delay(50)
    }
  }
}

function claim(state: string, range: IdRange, input: IdsInput): Ids {
  const { registry } = input
  dropAbandoned(registry)
  const known = readIds(state)
  const isOurs =
    known !== undefined &&
    contains(range, { first: known.first, last: known.first + blockSize - 1 }) &&
    register(registry, known.first, state)
  const ids: Ids = isOurs
    ? { ...known, agents: { ...known.agents } }
    : {
        version: 1,
        first: draw(registry, range, state),
        former: known === undefined ? [] : [...known.former, known.first],
        agents: { ...known?.agents },
      }
  for (const { key } of input.agents) ids.agents[key] ??= nextFree(ids, state)
  const work = `${recordOf(state)}.new`
  writeFileSync(work, `${JSON.stringify(ids)}\n`, { mode: 0o600 })
  renameSync(work, recordOf(state))
  return ids
}

function nextFree(ids: Ids, state: string): number {
  const next = Math.max(firstAgent - 1, ...Object.values(ids.agents)) + 1
  if (next < blockSize) return next
  throw new SupervisorError('STATE_UNUSABLE', `${state} has had more agents than there are ids`, {
    next: 'start with a new folder: --state',
  })
}

/** True when the block is entered for this state folder, now or already. */
function register(registry: string, first: number, state: string): boolean {
  const entry = join(registry, String(first))
  // A random name: what root writes here, root alone reads and nobody waits for.
  const work = `${entry}.${process.pid}`
  writeFileSync(work, JSON.stringify({ state }), { mode: 0o600 })
  try {
    linkSync(work, entry)
    return true
  } catch {
    return readEntry(entry) === state
  } finally {
    rmSync(work, { force: true })
  }
}

function draw(registry: string, range: IdRange, state: string): number {
  const blocks = Math.floor((range.last - range.first + 1) / blockSize)
  const start = randomInt(blocks)
  for (let step = 0; step < blocks; step++) {
    const first = range.first + ((start + step) % blocks) * blockSize
    if (readEntry(join(registry, String(first))) !== undefined) continue
    if (register(registry, first, state)) return first
  }
  throw new SupervisorError('STATE_UNUSABLE', 'every block of user ids is taken', {
    next: `see which state folders hold them: grep . ${registry}/*`,
  })
}

/** Entries whose state folder is gone, or has another block by now. */
function dropAbandoned(registry: string): void {
  for (const name of readdirSync(registry).filter((each) => /^\d+$/.test(each))) {
    const holder = readEntry(join(registry, name))
    const held = holder === undefined ? undefined : readIdsIfSound(holder)
    if (held?.first !== Number(name)) rmSync(join(registry, name), { force: true })
  }
}

function readEntry(file: string): string | undefined {
  try {
    return entrySchema.parse(JSON.parse(readFileSync(file, 'utf8'))).state
  } catch {
    return undefined
  }
}

function readIds(state: string): Ids | undefined {
  let text: string
  try {
    text = readFileSync(recordOf(state), 'utf8')
  } catch {
    return undefined
  }
  const ids = idsSchema.safeParse(parseJson(text))
  if (ids.success) return ids.data
  throw new SupervisorError('STATE_UNUSABLE', `${recordOf(state)} is damaged`, {
    next: `rm ${recordOf(state)}   (new user ids are drawn and the files given to them)`,
  })
}

function readIdsIfSound(state: string): Ids | undefined {
  try {
    return readIds(state)
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function toOwners(ids: Ids, { agents }: IdsInput): Owners {
  const at = (offset: number) => ({ uid: ids.first + offset, gid: ids.first + offset })
  const keys = new Map(agents.map(({ agent, n, key }) => [`${agent}.${n}`, key]))
  const blocks = [ids.first, ...ids.former]
  return {
    weakness: undefined,
    of: (party) => at(partyNames.indexOf(party)),
    agent({ agent, n }) {
      const offset = ids.agents[keys.get(`${agent}.${n}`) ?? '']
      if (offset === undefined) throw new Error(`no user id was claimed for ${agent}.${n}`)
      return at(offset)
    },
    isOurs: (uid) => uid === 0 || blocks.some((first) => first <= uid && uid < first + blockSize),
  }
}
