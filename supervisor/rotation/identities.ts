// Rotation of certificates, with their authority, and of nkeys, while everything runs. Two reloads of
// the bus server: one after which it takes both generations, one after which it takes the new one
// alone. Between them our own processes move to new connections by themselves (security/bus.ts).
// Agents have one connection a life, so they get their new identity between two lives, while they are
// drained for the reload. What this does not do: end a connection that was made with an old
// certificate and an nkey that is still good. Nkeys end connections, certificates do not.

import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BusError, connectBus } from '../../security/bus.ts'
import { credentialFolders, type IdentitiesInput } from '../../security/pki/identities.ts'
import { readPresent } from '../../security/pki/present.ts'
import {
  distrustPredecessor,
  drawSuccessor,
  dropSuccessor,
  installAuthority,
  installParties,
  readSuccessor,
  type Successor,
  type SuccessorKind,
  trustSuccessor,
} from '../../security/pki/successor.ts'
import type { BusServer } from '../bus-server.ts'
import { SupervisorError } from '../codes.ts'
import type { Replica } from '../replica.ts'
import type { KeyRotation, RotatedKeys } from './contract.ts'
import { withAgentsDrained } from './drained.ts'
import type { RecordPhase } from './phases.ts'

export interface IdentityRotationInput {
  readonly identities: Pick<IdentitiesInput, 'state' | 'replicas' | 'gateway' | 'users'>
  readonly bus: BusServer
  readonly replicas: () => readonly Pick<Replica, 'drain'>[]
  readonly record: RecordPhase
  /** What this start put in force because an earlier one had not come that far. */
  readonly finished: Successor | undefined
  readonly overlapMs: number
  readonly now: () => number
}

type Say = (line: string) => void

export function createIdentityRotation(
  kind: SuccessorKind,
  input: IdentityRotationInput,
): KeyRotation {
  const { state, replicas, gateway, users } = input.identities
  const folders = credentialFolders(replicas, gateway, users)
  return {
    kind,
    async rotate(say, signal) {
      const left = await readSuccessor(state)
      if (left !== undefined) {
        say(`finishing the rotation of ${left.kind} that was begun before`)
        const keys = await carryThrough(left, input, { say, signal })
        if (left.kind === kind) return keys
      }
      say('drawing the new ones')
      const plan = await drawSuccessor(kind, { state, folders, now: input.now() })
      await input.record(toRow('drawn', plan))
      return await carryThrough(plan, input, { say, signal })
    },
    async resume(say) {
      const plan = input.finished
      if (plan?.kind !== kind) return undefined
      say(`the rotation of ${kind} that was interrupted is finished`)
      await input.record(toRow('finished-at-start', plan))
      return { retired: plan.retired, current: plan.current }
    },
    async list() {
      const plan = await readSuccessor(state)
      return await readPresent(kind, { state, folders, plan })
    },
  }
}

/** Idempotent: whatever of it was done before is done again and changes nothing. */
async function carryThrough(
  plan: Successor,
  input: IdentityRotationInput,
  { say, signal }: { readonly say: Say; readonly signal: AbortSignal },
): Promise<RotatedKeys> {
  const { state, replicas, gateway, users } = input.identities
  const { bus, overlapMs } = input
  const own = credentialFolders([], gateway, users)
  const agents = new Map(
    [...credentialFolders(replicas, gateway, users)].filter(([account]) => !own.has(account)),
  )
  await saveIdentity(state)
  say('the bus server takes both; agents get theirs between two starts')
  await withAgentsDrained(input.replicas(), () =>
    bus.reload({ accepted: keysOf(plan.after, own) }, async () => {
      await trustSuccessor(state)
      await installParties({ state, folders: agents })
    }),
  )
  await bus.refresh({ accepted: keysOf(plan.before, own) }, async () => {
    await installParties({ state, folders: own })
    await installAuthority(state)
  })
  await input.record(toRow('in-use', plan))
  say(`the new ones are in use; the old ones end in ${Math.ceil(overlapMs / 1_000)} s`)
  await delay(overlapMs, undefined, { signal })
  await withAgentsDrained(input.replicas(), () =>
    bus.reload({ accepted: new Map() }, () => distrustPredecessor(state)),
  )
  await assertDead(state)
  await dropSuccessor(state)
  await input.record(toRow('retired', plan))
  say('the old ones are refused')
  return { retired: plan.retired, current: plan.current }
}

function toRow(phase: string, { retired, current }: Successor): Readonly<Record<string, string>> {
  return { phase, previous: retired[0] ?? '', current }
}

function keysOf(
  nkeys: Readonly<Record<string, string>>,
  accounts: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly string[]> {
  const entries = Object.entries(nkeys).filter(([account]) => accounts.has(account))
  return new Map(entries.map(([account, nkey]) => [account, [nkey]]))
}

/** Goes with what was drawn when that is dropped, also after a crash. */
const formerOf = (state: string) => join(state, 'pki', 'next', 'former')

/** The supervisor's own way onto the bus before anything changes, to see later that it leads nowhere. */
async function saveIdentity(state: string): Promise<void> {
  if (existsSync(formerOf(state))) return
  await cp(join(state, 'supervisor', 'bus'), formerOf(state), { recursive: true })
}

/** @throws SupervisorError ROTATION_FAILED when the old identity still opens a connection */
async function assertDead(state: string): Promise<void> {
  const former = formerOf(state)
  const present = join(state, 'supervisor', 'bus')
  // That the server is there and serves: else anything would look refused.
  await (await connectBus({ credentials: present, reconnect: false })).close()
  // With the authority of today, so that it is the server that refuses.
  await cp(join(present, 'ca.pem'), join(former, 'ca.pem'))
  try {
    await (await connectBus({ credentials: former, reconnect: false })).close()
  } catch (error) {
    if (error instanceof BusError) return
    throw error
  }
  throw new SupervisorError('ROTATION_FAILED', 'the bus server still takes the old keys', {
    next: 'npx bulkhead down, then start again',
  })
}
