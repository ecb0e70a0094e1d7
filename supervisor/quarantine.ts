// Who is shut out, enforced: the sandbox ended at once, the bus user taken away, no new start. The
// truth is the notary's table (notary/quarantine.ts); the file here is a copy, so that it holds before
// the notary runs, and a person's command that the notary has not heard of yet. What the notary does
// not confirm later is dropped, what was never recorded is recorded first. Restoring needs the notary.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { type QuarantineEntry, quarantineEntry } from '../notary/quarantine-contract.ts'
import { agentAccountName } from '../security/pki/accounts.ts'
import { SupervisorError } from './codes.ts'
import type { NotaryPort } from './notary-port.ts'
import type { ReplicaAddress } from './state.ts'

const heldSchema = quarantineEntry.extend({ recorded: z.boolean() })
export type Held = Readonly<z.infer<typeof heldSchema>>

export interface QuarantineOptions {
  readonly file: string
  readonly replicas: readonly ReplicaAddress[]
  readonly now: () => number
  /** Ends the sandbox without waiting for what it does. */
  readonly halt: (address: ReplicaAddress) => Promise<void>
  /** Has the bus server refuse these accounts. @throws SupervisorError */
  readonly shutOut: (accounts: ReadonlySet<string>) => Promise<void>
  readonly notary: () => NotaryPort | undefined
  readonly say: (line: string) => void
}

export interface Imposed {
  readonly held: readonly Held[]
  /** False: the bus server still takes its user; it is asked again until it does not. */
  readonly busRefuses: boolean
}

export interface Quarantine {
  entries(): readonly Held[]
  of(address: ReplicaAddress): Held | undefined
  /** Accounts without a user, for the bus server's configuration. */
  accounts(): ReadonlySet<string>
  /** By a person: works without notary and bus as far as it can. */
  impose(addresses: readonly ReplicaAddress[], reason: string): Promise<Imposed>
  /** By a person. @throws SupervisorError NOT_RECORDED when the notary does not lift it */
  restore(addresses: readonly ReplicaAddress[], reason: string): Promise<readonly Held[]>
  /** The notary's table, as it told it. @throws SupervisorError when it does not hold yet */
  enforce(table: readonly QuarantineEntry[]): Promise<void>
  /** Asks the notary for its table. @throws SupervisorError */
  refresh(): Promise<void>
  /** A connection of the replica's that did not come out of its sandbox; true once recorded. */
  report(address: ReplicaAddress, port: number): Promise<boolean>
}

/** The person at the control socket; there is one owner so far. */
const owner = 'user:owner'

/** @throws SupervisorError STATE_UNUSABLE for a file that is damaged: who is shut out must not be guessed */
export function openQuarantine(options: QuarantineOptions): Quarantine {
  const held = new Map(readHeld(options.file).map((entry) => [nameOf(entry), entry]))
  const accounts = () => accountsOf(options.replicas, held)
  let refused = keyOf(accounts())

  const keep = () => writeHeld(options.file, [...held.values()])
  let applying: Promise<void> = Promise.resolve()
  /** One after the other: what is refused is known only when the server has said so. */
  const apply = () => {
    const applied = applying.then(async () => {
      const wanted = accounts()
      if (keyOf(wanted) === refused) return
      await options.shutOut(wanted)
      refused = keyOf(wanted)
    })
    applying = applied.catch(() => undefined)
    return applied
  }
  const halt = (addresses: readonly ReplicaAddress[]) =>
    Promise.all(addresses.map((address) => options.halt(address)))

  /** Replaces all that the notary knows of by what it says; the rest stays until it is recorded. */
  const take = async (table: readonly QuarantineEntry[]) => {
    const before = new Set(held.keys())
    for (const [name, entry] of held) if (entry.recorded) held.delete(name)
    for (const entry of table) held.set(nameOf(entry), { ...entry, recorded: true })
    const added = table.filter((entry) => !before.has(nameOf(entry)))
    for (const { agent, n, code } of added) options.say(`agent ${agent}.${n} is shut out: ${code}`)
    keep()
    await Promise.all([halt(added), apply()])
  }
  const record = async () => {
    for (const { agent, n, by, reason, recorded } of [...held.values()]) {
      if (recorded || by === 'notary') continue
      await take(await tell({ op: 'set', agent, n, by, reason }))
    }
  }
  const tell = async (call: Parameters<NotaryPort['quarantine']>[0]) => {
    const notary = options.notary()
    if (notary === undefined) throw new SupervisorError('NOT_RECORDED', 'the notary is not there')
    return await notary.quarantine(call)
  }
  return {
    entries: () => [...held.values()],
    of: (address) => held.get(nameOf(address)),
    accounts,
    async impose(addresses, reason) {
      const added = addresses.filter((address) => !held.has(nameOf(address)))
      for (const address of added) {
        const entry = {
          ...address,
          since: options.now(),
          by: owner,
          code: 'OWNER',
          reason,
        } as const
        held.set(nameOf(address), { ...entry, recorded: false })
      }
      keep()
      const [, bus] = await Promise.allSettled([halt(added), apply()])
      await record().catch(() => undefined)
      const named = addresses.flatMap((address) => held.get(nameOf(address)) ?? [])
      return { held: named, busRefuses: bus.status === 'fulfilled' }
    },
    async restore(addresses, reason) {
      const was = addresses.flatMap((address) => held.get(nameOf(address)) ?? [])
      for (const { agent, n } of was) {
        const table = await tell({ op: 'lift', agent, n, by: owner, reason })
        // Now the notary knows of it, so that its table alone says whether it stands.
        held.delete(nameOf({ agent, n }))
        await take(table)
      }
      return was
    },
    async enforce(table) {
      await take(table)
      // Not awaited by the notary, whose table changes with it.
      void record().catch(() => undefined)
    },
    async refresh() {
      await take(await tell({ op: 'list' }))
      await record()
    },
    async report({ agent, n }, port) {
      try {
        await take(await tell({ op: 'signal', agent, n, signal: 'DUPLICATE_IDENTITY', port }))
        return true
      } catch {
        return false
      }
    },
  }
}

const nameOf = ({ agent, n }: ReplicaAddress) => `${agent}.${n}`
const keyOf = (accounts: ReadonlySet<string>) =>
  [...accounts].toSorted((a, b) => (a < b ? -1 : 1)).join(' ')

function accountsOf(
  replicas: readonly ReplicaAddress[],
  held: ReadonlyMap<string, Held>,
): ReadonlySet<string> {
  return new Set(replicas.filter((address) => held.has(nameOf(address))).map(agentAccountName))
}

export function readHeld(file: string): readonly Held[] {
  if (!existsSync(file)) return []
  try {
    return z.array(heldSchema).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new SupervisorError('STATE_UNUSABLE', `${file} does not say who is shut out`, {
      next: `restore it, or remove it: the notary's own table then applies from its start`,
      cause,
    })
  }
}

/** By rename: who is shut out is never half written. */
function writeHeld(file: string, held: readonly Held[]): void {
  const work = `${file}.new`
  writeFileSync(work, `${JSON.stringify(held, null, 2)}\n`, { mode: 0o600 })
  renameSync(work, file)
}

/** Why a replica does not start; undefined when it may. */
export function quarantineRefusal(entry: Held | undefined): SupervisorError | undefined {
  if (entry === undefined) return undefined
  const { agent, n } = entry
  return new SupervisorError('QUARANTINED', `${agent}.${n} is quarantined (${entry.code})`, {
    next: `npx bulkhead agents show ${agent}`,
  })
}
