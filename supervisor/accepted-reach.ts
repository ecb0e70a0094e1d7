// The reach that the owner has accepted, against the one that holds now. The first start accepts; from
// then on a replica whose reach grew does not start until the owner accepts that. Less reach needs no
// word, and what is given up must be accepted again. Until approvals exist the owner's word is the
// command at the control socket; the notary records digest and decision, and neither signs it.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { SupervisorError } from './codes.ts'
import type { NotaryPort } from './notary-port.ts'
import { digestOfReach, growthOf, type Reach } from './reach.ts'
import type { ReplicaAddress } from './state.ts'

export interface ReachFiles {
  /** What holds now, for anybody to read who may read the state folder. */
  readonly current: string
  readonly accepted: string
}

export interface AcceptedReach {
  /** What grew, by `<agent>.<n>`. */
  growth(): ReadonlyMap<string, readonly string[]>
  /** Why a replica does not start; undefined when it may. */
  barred(address: ReplicaAddress): SupervisorError | undefined
  /** By the owner: what holds now is accepted. Returns what had grown. */
  accept(): ReadonlyMap<string, readonly string[]>
  /** Has the notary record the digest of what holds. Best effort. */
  tell(notary: NotaryPort): Promise<void>
}

const strings = z.array(z.string())
const reachSchema = z.strictObject({
  version: z.literal(1),
  agents: z.record(
    z.string(),
    z.strictObject({
      token: z.strictObject({
        audience: z.string(),
        actions: z.array(z.strictObject({ name: z.string(), effect: z.string(), egress: strings })),
      }),
      bus: z.strictObject({ account: z.string(), publish: strings, subscribe: strings }),
      mounts: z.array(
        z.strictObject({
          from: z.string(),
          folder: z.string().nullable(),
          at: z.string(),
          mode: z.enum(['ro', 'rw']),
        }),
      ),
      egress: z.array(
        z.strictObject({
          id: z.string(),
          origins: strings,
          allow: strings,
          privateAddress: z.boolean(),
          anyKey: z.boolean(),
          credential: z.string().nullable(),
        }),
      ),
      secrets: strings,
      // Not there in what was accepted before there were programs.
      programs: z.array(z.strictObject({ name: z.string(), file: z.string() })).default([]),
    }),
  ),
})

/** @throws SupervisorError STATE_UNUSABLE when what was accepted cannot be read */
export function openAcceptedReach(files: ReachFiles, now: Reach): AcceptedReach {
  let accepted = readAccepted(files.accepted) ?? now
  let growth = growthOf(accepted, now)
  const keep = () => {
    // What grew keeps its old entry, and everything else the present one, which may be less.
    const agents = Object.entries(now.agents).flatMap(([name, reach]) => {
      const entry = growth.has(name) ? accepted.agents[name] : reach
      return entry === undefined ? [] : [[name, entry] as const]
    })
    accepted = { version: 1, agents: Object.fromEntries(agents) }
    write(files.accepted, accepted)
  }
  keep()
  write(files.current, now)
  return {
    growth: () => growth,
    barred({ agent, n }) {
      const [line] = growth.get(`${agent}.${n}`) ?? []
      if (line === undefined) return undefined
      return new SupervisorError(
        'REACH_NOT_ACCEPTED',
        `${agent}.${n} can reach more than was accepted: ${line}`,
        { next: 'npx bulkhead agents accept-reach' },
      )
    },
    accept() {
      const grown = growth
      growth = new Map()
      keep()
      return grown
    },
    async tell(notary) {
      const summary = { event: 'reach', digest: digestOfReach(now), grown: growth.size }
      await notary.event({ kind: 'security', subject: 'reach', summary })
    },
  }
}

function readAccepted(file: string): Reach | undefined {
  if (!existsSync(file)) return undefined
  try {
    return reachSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new SupervisorError('STATE_UNUSABLE', `${file} does not say what was accepted`, {
      next: 'restore it from a backup; without it the next start would accept what holds now',
      cause,
    })
  }
}

/** RFC 8785, so that the digest in the audit is the file's own. */
function write(file: string, reach: Reach): void {
  const work = `${file}.new`
  writeFileSync(work, canonicalJson(reach), { mode: 0o600 })
  renameSync(work, file)
}
