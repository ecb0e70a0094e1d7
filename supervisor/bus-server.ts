// What the bus server accepts while it runs: the one place that writes its configuration anew and has
// it read again. One change at a time, so that a rotation of keys and a quarantine cannot undo each
// other's. A reload makes the server forget which replies it owes to agents (nats-config.ts), so
// whoever can wait drains them first.

import { type IdentitiesInput, prepareIdentities } from '../security/pki/identities.ts'
import { SupervisorError } from './codes.ts'
import type { LogFile } from './log-file.ts'
import type { ManagedProcess } from './process.ts'

export interface BusView {
  /** Public nkeys besides each party's own, by account. */
  readonly accepted: ReadonlyMap<string, readonly string[]>
  /** Accounts without a user. */
  readonly shutOut: ReadonlySet<string>
}

export interface BusServer {
  /**
   * Writes the configuration from the files of all parties and this change, and resolves when the
   * server goes by it. What a change leaves out stays as it was. `before` changes the files first.
   * @throws SupervisorError BUS_NOT_RELOADED when the server does not take it
   */
  reload(change?: Partial<BusView>, before?: () => Promise<void>): Promise<void>
  /** The same for the parties' files alone: the server is not told, its next reload takes it. */
  refresh(change: Partial<BusView>, before: () => Promise<void>): Promise<void>
}

export interface BusServerOptions {
  /** As at the start. */
  readonly identities: Omit<IdentitiesInput, 'accepted' | 'shutOut' | 'now'>
  readonly process: Pick<ManagedProcess, 'hangUp'>
  readonly news: ReloadNews
  /** Of earlier decisions: who is shut out from the start. */
  readonly shutOut?: ReadonlySet<string>
}

/** A reload takes the server milliseconds; a busy machine more. */
const reloadTimeoutMs = 10_000

export function createBusServer(options: BusServerOptions): BusServer {
  let view: BusView = { accepted: new Map(), shutOut: options.shutOut ?? new Set() }
  let last: Promise<void> = Promise.resolve()
  const write = async (change: Partial<BusView>, before?: () => Promise<void>) => {
    const next = { ...view, ...change }
    await before?.()
    await prepareIdentities({ ...options.identities, ...next })
    view = next
  }
  const tell = async (): Promise<void> => {
    const taken = options.news.next(reloadTimeoutMs)
    // A server that is just being started again reads the new file, and its start is news as well.
    options.process.hangUp()
    const refusal = await taken
    if (refusal !== undefined) {
      throw new SupervisorError('BUS_NOT_RELOADED', `the bus server did not reload: ${refusal}`, {
        next: 'npx bulkhead down, then start again; see logs/nats-server.log in the state folder',
      })
    }
  }
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
  return {
    reload: (change = {}, before) =>
      inTurn(async () => {
        await write(change, before)
        await tell()
      }),
    refresh: (change, before) => inTurn(() => write(change, before)),
  }
}

export interface ReloadNews {
  /** A log that passes on what it gets and listens for the server's word. */
  readonly log: LogFile
  /** The next word on a configuration: undefined when it was taken, else why not. */
  next(timeoutMs: number): Promise<string | undefined>
}

/** Listens to what the server says of its configuration: signals have no other answer. */
export function listenForReloads(log: LogFile): ReloadNews {
  let tell: ((refusal: string | undefined) => void) | undefined
  let rest = ''
  return {
    log: {
      ...log,
      write(chunk) {
        log.write(chunk)
        const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
        // A line may come in two pieces; the server's own are short.
        rest = (lines.pop() ?? '').slice(-4_096)
        for (const line of lines) {
          const refusal = /\[ERR\] Failed to reload server configuration: (.*)$/.exec(line)?.[1]
          if (refusal !== undefined) tell?.(refusal)
          else if (/\[INF\] (Reloaded server configuration|Server is ready)/.test(line)) {
            tell?.(undefined)
          }
        }
      },
    },
    next: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => tell?.(`no word from it in ${timeoutMs} ms`), timeoutMs)
        tell = (refusal) => {
          clearTimeout(timer)
          tell = undefined
          resolve(refusal)
        }
      }),
  }
}
