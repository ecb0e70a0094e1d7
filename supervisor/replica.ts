// The life of one agent replica: stopped, started when it is needed, watched, stopped when idle.
// One start (start-replica.ts) at a time; whoever asks meanwhile waits for it. An agent whose boot the
// notary has not recorded does not run. Which replicas exist and when they are idle is pool.ts's.

import { removeSecrets } from './agent-files.ts'
import { tellStopped } from './boot-record.ts'
import { SupervisorError } from './codes.ts'
import { withdrawEpoch } from './egress.ts'
import { backoffMs } from './process.ts'
import { untilQuiet } from './quiet.ts'
import type { Excess } from './quota.ts'
import type { SandboxFacts } from './sandbox/driver.ts'
import { type Boot, type BootOptions, nameOf, startReplica } from './start-replica.ts'
import type { ReplicaAddress } from './state.ts'

export interface ReplicaOptions extends BootOptions {
  /** Why it may not run now, if there is a reason: asked at every start. */
  readonly barred: () => SupervisorError | undefined
  readonly onStart: (start: { readonly bootEpoch: string; readonly tookMs: number }) => void
  /** Told when the sandbox is stopped because it wrote more than it may. */
  readonly onExcess: (excess: Excess) => void
  /** Told when the sandbox ended without having been asked to. */
  readonly onCrash: () => void
}

export type ReplicaState = 'stopped' | 'starting' | 'running' | 'stopping'

export interface Replica {
  readonly address: ReplicaAddress
  /** Starts it if it is not running. @throws SupervisorError */
  ensure(): Promise<{ readonly bootEpoch: string }>
  stop(): Promise<void>
  /** As `stop`, but what is under way ends first, and before `release` nothing starts it again. */
  drain(release: Promise<unknown>): Promise<void>
  /** Ends it at once, also in the middle of a command. */
  halt(): Promise<void>
  status(): ReplicaStatus
}

export interface ReplicaStatus {
  readonly state: ReplicaState
  readonly bootEpoch: string | null
  readonly pid: number | null
  readonly restarts: number
  readonly sinceMs: number
  /** Facts of the running sandbox, or those of the last one. */
  readonly sandbox: SandboxFacts | null
  /** Milliseconds since the last command or `ensure`; undefined while not running. */
  readonly idleMs: number | undefined
  /** A command went in and nothing came out since, for this long. */
  readonly pendingMs: number
}

/** Agents finish a command within the reply time or lose it to the ledger; see limits. */
const stopTimeoutMs = 3_000

export function createReplica(options: ReplicaOptions): Replica {
  return new SandboxedReplica(options)
}

class SandboxedReplica implements Replica {
  readonly address: ReplicaAddress
  readonly #options: ReplicaOptions
  #state: ReplicaState = 'stopped'
  #changedAt: number
  #askedAt = 0
  #boot: Boot | undefined
  #starting: Promise<Boot> | undefined
  #stopping: Promise<void> | undefined
  #finishing: Promise<void> | undefined
  #lastFacts: SandboxFacts | null = null
  #starts = 0
  #failures = 0
  #failedAt = 0

  constructor(options: ReplicaOptions) {
    this.address = options.address
    this.#options = options
    this.#changedAt = options.now()
  }

  async ensure(): Promise<{ readonly bootEpoch: string }> {
    const barred = this.#options.barred()
    if (barred !== undefined) throw barred
    this.#askedAt = this.#options.now()
    await this.#stopping
    await this.#endIfCutOff()
    await this.#finishing
    if (this.#boot === undefined) {
      this.#refuseWhileBackingOff()
      this.#starting ??= this.#start().finally(() => {
        this.#starting = undefined
      })
      await this.#starting
    }
    return { bootEpoch: this.#boot?.facts.bootEpoch ?? '' }
  }

  /** Whoever asks has perhaps just been told that nobody serves: do not answer from memory. */
  async #endIfCutOff(): Promise<void> {
    const boot = this.#boot
    if (boot === undefined || (boot.sandbox.isAlive() && boot.forwarder.isConnected())) return
    await boot.sandbox.stop(stopTimeoutMs)
    await this.#finish(boot)
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  async drain(release: Promise<unknown>): Promise<void> {
    const drained = Promise.resolve(this.#stopping).then(() => this.#stop({ drain: true }))
    this.#stopping = drained
      .then(() => release)
      .then(() => undefined)
      .finally(() => {
        this.#stopping = undefined
      })
    // Whoever awaits it hears of a failed release; the one who releases knows already.
    this.#stopping.catch(() => undefined)
    await drained
  }

  async halt(): Promise<void> {
    // Here and not only when it has ended: from now on no request of its passes the gateway.
    withdrawEpoch(this.#options.egress)
    await this.#starting?.catch(() => undefined)
    const boot = this.#boot
    if (boot === undefined) return
    this.#change('stopping')
    await boot.sandbox.stop(0)
    await this.#finish(boot)
    // Not awaited: it is gone, and the notary may be too.
    void tellStopped(this.#options, boot.facts)
  }

  status(): ReplicaStatus {
    const now = this.#options.now()
    const activity = this.#boot?.forwarder.activity()
    const { toAgent = 0, fromAgent = 0 } = activity ?? {}
    // Not what comes out: an idle agent still sends heartbeats, and a reply follows a command.
    const last = Math.max(this.#askedAt, this.#changedAt, toAgent)
    return {
      state: this.#state,
      bootEpoch: this.#boot?.facts.bootEpoch ?? null,
      pid: this.#boot?.sandbox.pid ?? null,
      restarts: Math.max(0, this.#starts - 1),
      sinceMs: now - this.#changedAt,
      sandbox: this.#facts(),
      idleMs: this.#boot === undefined ? undefined : now - last,
      // What came before it was ready was the handshake, which nobody answers.
      pendingMs: toAgent > Math.max(fromAgent, this.#changedAt) ? now - toAgent : 0,
    }
  }

  #facts(): SandboxFacts | null {
    const { driver } = this.#options
    if (this.#boot !== undefined) {
      this.#lastFacts = driver.facts(this.#boot.sandbox.pid) ?? this.#lastFacts
    }
    return this.#lastFacts
  }

  #change(state: ReplicaState): void {
    this.#state = state
    this.#changedAt = this.#options.now()
  }

  /** @throws SupervisorError BACKING_OFF after several failed starts in a row */
  #refuseWhileBackingOff(): void {
    // The first failures are tried again at once: the caller has waited, and the cause may be gone.
    if (this.#failures < 3) return
    const leftMs = backoffMs(this.#failures) - (this.#options.now() - this.#failedAt)
    if (leftMs <= 0) return
    throw new SupervisorError(
      'BACKING_OFF',
      `${nameOf(this.address)} failed ${this.#failures} times to start, next try in ${leftMs} ms`,
    )
  }

  async #start(): Promise<Boot> {
    this.#change('starting')
    try {
      const boot = await startReplica(this.#options)
      const tookMs = this.#options.now() - this.#changedAt
      this.#options.onStart({ bootEpoch: boot.facts.bootEpoch, tookMs })
      this.#starts += 1
      this.#failures = 0
      this.#boot = boot
      this.#change('running')
      this.#facts()
      boot.quota.watch(boot.sandbox.pid, (excess) => {
        this.#options.onExcess(excess)
        // At once: what it would still write while it is asked to leave is what it is stopped for.
        void boot.sandbox.stop(0)
      })
      void boot.sandbox.exited.then(() => this.#finish(boot))
      return boot
    } catch (error) {
      this.#failures += 1
      this.#failedAt = this.#options.now()
      this.#change('stopped')
      throw error
    }
  }

  async #stop({ drain }: { readonly drain: boolean } = { drain: false }): Promise<void> {
    await this.#starting?.catch(() => undefined)
    const boot = this.#boot
    if (boot === undefined) return
    const { now } = this.#options
    const since = this.#changedAt
    this.#change('stopping')
    // Recorded first: from here on no token is minted for an agent that is on its way out.
    await tellStopped(this.#options, boot.facts)
    if (drain) await untilQuiet(boot.forwarder, { since, now })
    await boot.sandbox.stop(stopTimeoutMs)
    await this.#finish(boot)
  }

  /** Once for each boot, however its end was noticed; the next start waits until it is done. */
  async #finish(boot: Boot): Promise<void> {
    if (this.#boot === boot) {
      this.#boot = undefined
      this.#finishing = this.#cleanUp(boot, { crashed: this.#state === 'running' })
    }
    await this.#finishing
  }

  async #cleanUp(boot: Boot, { crashed }: { readonly crashed: boolean }): Promise<void> {
    this.#change('stopping')
    boot.sandbox.look()
    await boot.sandbox.exited
    boot.quota.stop()
    await boot.forwarder.close()
    withdrawEpoch(this.#options.egress)
    removeSecrets(this.#options.layout)
    this.#change('stopped')
    if (!crashed) return
    this.#options.onCrash()
    await tellStopped(this.#options, boot.facts)
  }
}
