// The composition root of the notary: opens the store, loads the keys, connects to the bus, serves,
// and goes on until told to stop or until the bus is gone for good. Order matters: nothing is served
// before the store is open, and the store closes last, after a final checkpoint.

import type { Logger } from 'pino'
import { limits } from '../plan/limits.ts'
import type { Catalogue } from '../plan/manifest.ts'
import { withReplicas } from '../plan/replicas.ts'
import { createHeadSealer } from '../security/audit/checkpoint.ts'
import { connectBus } from '../security/bus.ts'
import { openCommitmentKey } from './commitment-key.ts'
import {
  ConfigError,
  type NotaryConfig,
  type NotaryKeys,
  readHousehold,
  readNotaryKeys,
} from './config.ts'
import type { NotaryPorts } from './context.ts'
import { StoreError } from './database.ts'
import { createEnforcement } from './enforcement.ts'
import { createKeyRing, type KeyRing, settleAuditKey } from './keys.ts'
import { createNotary, type Notary } from './notary.ts'
import { openPolicySource, type PolicySource } from './policy-source.ts'
import { createRetention, type Retention } from './retention.ts'
import { serveNotary } from './serve.ts'
import { createSteadiness } from './steady-clock.ts'
import { type AuditStore, type Clock, openStore } from './store.ts'

export interface NotaryProcess {
  readonly catalogue: Catalogue
  readonly log: Logger
  /** Resolves when the process is asked to stop. */
  readonly stop: Promise<void>
  readonly onReady: () => void
  /** Registers what is done when the process is told to read its keys and people again. */
  readonly onReload: (reload: () => void) => void
  readonly onPoint?: NotaryPorts['onPoint']
}

/** A checkpoint is kept at the latest this long after a row, so that a fault is narrowed down. */
const tickMs = 1_000

/** @throws ConfigError, StoreError, BusError */
export async function runNotary(config: NotaryConfig, process: NotaryProcess): Promise<void> {
  const { log, stop, onReady, onReload } = process
  const catalogue = withReplicas(process.catalogue, config.replicas ?? {})
  const clock = { now: () => Date.now() }
  const { folder } = config
  let users = readHousehold(folder)
  const { keys, store } = await openWithKeys(folder, clock)
  try {
    const rotated = store.auditKeys().length > 0
    const commitmentKey = openCommitmentKey(folder, { keys, rotated })
    const rules = await openPolicySource(folder, store)
    const ring = await createKeyRing(folder, { keys, store })
    const notary = createNotary({
      store,
      catalogue,
      policy: rules.policy,
      minter: ring.minter,
      clock,
      issuer: config.issuer,
      get users() {
        return users
      },
      names: config.names,
      planner: config.planner,
      slots: config.slots,
      zone: config.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      commitmentKey,
      ...(process.onPoint === undefined ? {} : { onPoint: process.onPoint }),
    })
    await noteStart(store, log)
    onReload(() => {
      users = readHouseholdAgain(folder, log) ?? users
      void takeUp(ring, log)
      void takeUp(rules, log)
    })
    await takeUp(ring, log)
    const bus = await connectBus({ credentials: config.bus, reconnect: true, renew: true })
    serveNotary(bus, notary)
    // The supervisor asks as soon as it hears that we are ready.
    await bus.flush()
    const enforcement = createEnforcement(bus, notary.quarantines)
    const retention = createRetention(store, clock.now)
    const timer = setInterval(() => {
      void tick(notary, log)
      void tick(retention, log)
      void enforcement.tick()
    }, tickMs)
    onReady()
    const gone = bus.closed().then((error) => {
      throw error ?? new Error('the bus closed the connection')
    })
    // After a stop the connection closes too, and nobody waits for that.
    gone.catch(() => undefined)
    try {
      await Promise.race([stop, gone])
    } finally {
      clearInterval(timer)
      await bus.close().catch(() => undefined)
      await tick(notary, log)
    }
  } finally {
    await store.close()
  }
}

/** The store with the key that its log names as the one in force. @throws ConfigError, StoreError */
async function openWithKeys(
  folder: string,
  clock: Clock,
): Promise<{ readonly keys: NotaryKeys; readonly store: AuditStore }> {
  const keys = readNotaryKeys(folder)
  const seal = await createHeadSealer(keys.audit)
  const isSteady = createSteadiness(clock.now, () => performance.now())
  const { auditReserveBytes: reserveBytes } = limits
  const store = openStore({ folder, clock, isSteady, seal, reserveBytes })
  try {
    if (settleAuditKey(folder, store, keys)) return { keys, store }
  } catch (error) {
    await store.close()
    throw error
  }
  await store.close()
  return openWithKeys(folder, clock)
}

/**
 * Who laid a new key there waits for `keys.json` to name it; until then the old one is in use. Neither
 * a damaged key nor a full disk keeps the notary from serving with what it has.
 */
async function takeUp(from: KeyRing | PolicySource, log: Logger): Promise<void> {
  try {
    await from.reload()
  } catch (error) {
    if (error instanceof StoreError) log.error({ code: error.code }, error.message)
    else if (error instanceof ConfigError) log.error({ code: 'CONFIG' }, error.message)
    else if (error instanceof Error && 'syscall' in error) log.error({ err: error }, 'keys.json')
    else throw error
  }
}

/** A damaged file leaves the people as they were: the supervisor writes it in one step. */
function readHouseholdAgain(folder: string, log: Logger) {
  try {
    return readHousehold(folder)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    log.error({ code: 'CONFIG' }, error.message)
    return undefined
  }
}

/** A full disk or a wrong clock must not keep the notary from answering why it refuses. */
async function noteStart(store: AuditStore, log: Logger): Promise<void> {
  const { damaged } = store
  if (damaged) log.error('stored audit rows do not agree: run `bulkhead audit verify`')
  try {
    await store.commit('fact', (writer) =>
      writer.append({
        kind: damaged ? 'security' : 'life-cycle',
        actor: 'notary',
        subject: 'notary',
        correlation: '',
        trace: '',
        body: { event: 'started', damaged },
      }),
    )
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    log.error({ code: error.code }, error.message)
  }
}

async function tick(one: Pick<Notary | Retention, 'tick'>, log: Logger): Promise<void> {
  try {
    await one.tick()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    log.error({ code: error.code }, error.message)
  }
}
