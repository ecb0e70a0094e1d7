// What keeps an agent in foreign hands from the rest, put together: who is shut out (quarantine.ts),
// the honest ports of every replica (roads.ts), the watch over connections (bus-watch.ts), the
// notary's word over the bus, and who may not start because its reach grew (accepted-reach.ts). Opened before anything runs, armed when bus and notary are there.

import { type EnforceReply, enforceCall } from '../notary/quarantine-contract.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { Bus } from '../security/bus.ts'
import { type Account, agentAccountName } from '../security/pki/accounts.ts'
import { type AcceptedReach, openAcceptedReach } from './accepted-reach.ts'
import { type SeenConnection, startBusWatch } from './bus-watch.ts'
import type { SupervisorError } from './codes.ts'
import type { NotaryPort } from './notary-port.ts'
import type { PoolMember } from './pool.ts'
import type { Preparation } from './prepare.ts'
import { openQuarantine, type Quarantine, quarantineRefusal } from './quarantine.ts'
import { deriveReach } from './reach.ts'
import { createRoads, type Roads } from './roads.ts'
import type { ReplicaAddress } from './state.ts'
import type { Unwind } from './unwind.ts'

export interface ContainmentOptions {
  readonly prepared: Pick<Preparation, 'layout' | 'replicas' | 'journal' | 'settingsOf'>
  readonly catalogue: Catalogue
  readonly accounts: readonly Account[]
  readonly members: () => readonly PoolMember[]
  readonly notary: () => NotaryPort | undefined
  /** @throws SupervisorError when the bus server does not take it */
  readonly shutOut: (accounts: ReadonlySet<string>) => Promise<void>
}

export interface Containment {
  readonly quarantine: Quarantine
  readonly reach: AcceptedReach
  roadsOf(address: ReplicaAddress): Roads
  /** Why a replica may not start. */
  barred(address: ReplicaAddress): SupervisorError | undefined
  /**
   * Takes over the notary's table, serves its word and begins to watch. Before the first agent. Where
   * the notary does not answer the copy stands: no agent starts without the notary anyway.
   */
  arm(bus: Bus, unwind: Unwind): Promise<void>
}

/** @throws SupervisorError STATE_UNUSABLE */
export function createContainment(options: ContainmentOptions): Containment {
  const { layout, replicas, journal } = options.prepared
  const roads = new Map(
    replicas.map((address) => [
      agentAccountName(address),
      { address, roads: createRoads(Date.now) },
    ]),
  )
  const quarantine = openQuarantine({
    file: layout.quarantineFile,
    replicas,
    now: Date.now,
    halt: async ({ agent, n }) => {
      const member = options
        .members()
        .find(({ replica: { address } }) => address.agent === agent && address.n === n)
      await member?.replica.halt()
    },
    shutOut: options.shutOut,
    notary: options.notary,
    say: journal.say,
  })
  const reach = openAcceptedReach(layout.reach, deriveReach({ ...options.prepared, ...options }))
  const onForeign = async ({ account, port, cid }: SeenConnection): Promise<boolean> => {
    const known = roads.get(account)
    if (known === undefined) return true
    const { agent, n } = known.address
    journal.logger.error({ agent, n, port, cid }, 'a second identity of an agent')
    journal.say(`somebody else connected with the identity of agent ${agent}.${n} (port ${port})`)
    return await quarantine.report({ agent, n }, port)
  }
  return {
    quarantine,
    roadsOf: (address) => {
      const known = roads.get(agentAccountName(address))
      if (known === undefined) throw new Error('no such replica')
      return known.roads
    },
    reach,
    barred: (address) => quarantineRefusal(quarantine.of(address)) ?? reach.barred(address),
    async arm(bus, unwind) {
      await quarantine.refresh().catch((err) => {
        journal.logger.warn({ err }, 'the table of quarantines was not confirmed')
      })
      for (const { agent, n, code, since } of quarantine.entries()) {
        const day = new Date(since).toISOString()
        journal.say(
          `agent ${agent}.${n} is quarantined since ${day} (${code}); next: npx bulkhead agents show ${agent}`,
        )
      }
      const notary = options.notary()
      if (notary !== undefined) await reach.tell(notary)
      for (const [name, lines] of reach.growth()) {
        journal.say(`agent ${name} can reach more than was accepted, and does not start:`)
        for (const line of lines) journal.say(`  ${line}`)
        journal.say('next: npx bulkhead agents accept-reach')
      }
      bus.serve('supervisor.quarantine', ({ payload }) => enforce(quarantine, payload), {
        type: 'STATUS_UPDATE',
        onMalformed: (code): EnforceReply => ({ status: 'FAILED', message: code }),
      })
      const watch = startBusWatch({
        credentials: layout.supervisorWatch,
        isOurs: ({ account, port }) => roads.get(account)?.roads.has(port) === true,
        onForeign,
      })
      unwind.add('watch over connections', () => watch.close())
    },
  }
}

async function enforce(quarantine: Quarantine, payload: unknown): Promise<EnforceReply> {
  const call = enforceCall.safeParse(payload)
  if (!call.success) return { status: 'FAILED', message: 'not a table of quarantines' }
  try {
    await quarantine.enforce(call.data.entries)
    return { status: 'ENFORCED' }
  } catch (error) {
    return { status: 'FAILED', message: error instanceof Error ? error.message : String(error) }
  }
}
