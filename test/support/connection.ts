// A person's session with a platform that keeps breaking down: opened anew whenever it broke.

import { setTimeout as delay } from 'node:timers/promises'
import { openSession, type Session } from '../../cli/session.ts'

/** One session for all, opened anew whenever it broke. */
export class Connection {
  readonly #state: string
  #session: Promise<Session> | undefined

  constructor(state: string) {
    this.#state = state
  }

  /** @throws Error of the call, or when it was not answered in time; the next one opens anew */
  async use<T>(call: (session: Session) => Promise<T>, withinMs = callMs): Promise<T> {
    this.#session ??= openSession(this.#state)
    const opening = this.#session
    try {
      return await Promise.race([opening.then(call), late(withinMs)])
    } catch (error) {
      if (this.#session === opening) {
        this.#session = undefined
        void opening.then(closeLater, () => undefined)
      }
      throw error
    }
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    await session?.close()
  }
}

/** Longer than any call takes that will still be answered. */
const callMs = 20_000

async function late(ms: number): Promise<never> {
  await delay(ms, undefined, { ref: false })
  throw new Error(`no answer within ${ms} ms`)
}

/** Temporal's client throws when its connection is closed under a retry that is still to come. */
function closeLater(session: Session): void {
  setTimeout(() => void session.close(), 120_000).unref()
}
