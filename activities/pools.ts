// The worker's door to each agent's pool: how many attempts may be at one pool at once, who goes first
// when it is full, and a breaker that keeps attempts away from a pool that does not answer. Whoever is
// turned away has asked for no token and sent nothing, so the attempt counts for nothing (ADR 24).
// Memory only, and decides nothing about effects: which replica, and whether at all, is the notary's.

import type { Catalogue } from '../plan/manifest.ts'
import { type Priority, priorities } from '../plan/schema.ts'
import { admit, afterAnswer, afterNothing, afterSilence, type Breaker, closed } from './breaker.ts'
import { AttemptFailure } from './failure.ts'
import type { AgentCalls } from './notary-calls.ts'

export interface PoolState {
  readonly agent: string
  readonly breaker: Breaker['phase']
  /** Attempts at the pool, and those that wait for a place. */
  readonly atWork: number
  readonly waiting: number
}

export interface Pools {
  /**
   * Runs `work` with a place in the agent's pool, waiting for one no longer than it may.
   * @throws AttemptFailure AGENT_BUSY, CIRCUIT_OPEN, before anything was begun; what `work` throws
   */
  within<T>(
    agent: string,
    about: { readonly priority: Priority; readonly mayWait: boolean },
    work: () => Promise<T>,
  ): Promise<T>
  /** The same calls; what is answered and what is not is told to the breaker of the agent. */
  watch(calls: AgentCalls): AgentCalls
  states(): readonly PoolState[]
}

export interface PoolsOptions {
  readonly catalogue: Catalogue
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told when a breaker opens, tries again, and closes. */
  readonly onBreaker?: (state: PoolState) => void
  /** Places of one replica; what a test cannot fill otherwise. */
  readonly placesPerReplica?: number
  readonly acquireMs?: number
}

/** The fan-out of one run: a single run never waits, and three cannot take every hand of the worker. */
const placesPerReplica = 64
/** As many again may wait; more would take the worker's hands from every other agent. */
const waitingPerReplica = 64
/** Below the heartbeat's patience by far; who has waited so long makes room for the next attempt. */
const acquireMs = 10_000

interface Pool {
  readonly agent: string
  readonly replicas: number
  breaker: Breaker
  atWork: number
  /** In the order of arrival; who goes first is decided when a place is free. */
  readonly waiting: Waiting[]
}

interface Waiting {
  readonly priority: Priority
  readonly admit: () => void
}

export function createPools(options: PoolsOptions): Pools {
  const { catalogue, now } = options
  const places = options.placesPerReplica ?? placesPerReplica
  const pools = new Map<string, Pool>(
    [...catalogue].map(([agent, { replicas }]) => [
      agent,
      { agent, replicas, breaker: closed, atWork: 0, waiting: [] },
    ]),
  )
  const change = (pool: Pool, breaker: Breaker) => {
    const { phase } = pool.breaker
    pool.breaker = breaker
    if (phase !== breaker.phase) options.onBreaker?.(stateOf(pool))
  }
  const enter = async (pool: Pool, priority: Priority, mayWait: boolean) => {
    if (pool.atWork >= places * pool.replicas) {
      if (!mayWait || pool.waiting.length >= waitingPerReplica * pool.replicas) {
        throw new AttemptFailure('AGENT_BUSY')
      }
      await place(pool, priority, options.acquireMs ?? acquireMs)
    } else {
      pool.atWork += 1
    }
    const admission = admit(pool.breaker, now())
    if (admission.admitted) return change(pool, admission.breaker)
    leave(pool)
    throw new AttemptFailure('CIRCUIT_OPEN', { retryMs: admission.retryMs })
  }
  const told = (subject: string, said: 'answer' | 'silence') => {
    const pool = pools.get(subject)
    if (pool === undefined) return
    change(pool, said === 'answer' ? afterAnswer() : afterSilence(pool.breaker, now()))
  }
  return {
    async within(agent, { priority, mayWait }, work) {
      const pool = pools.get(agent)
      if (pool === undefined) return await work()
      await enter(pool, priority, mayWait)
      const probes = pool.breaker.phase === 'half-open'
      try {
        return await work()
      } finally {
        leave(pool)
        if (probes) change(pool, afterNothing(pool.breaker, now()))
      }
    },
    watch: (calls) => watched(calls, told),
    states: () => [...pools.values()].map(stateOf),
  }
}

/** Resolves with a place; the place of one that leaves goes to who waits, and is never free between. */
function place(pool: Pool, priority: Priority, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting: Waiting = {
      priority,
      admit: () => {
        clearTimeout(timer)
        resolve()
      },
    }
    const timer = setTimeout(() => {
      pool.waiting.splice(pool.waiting.indexOf(waiting), 1)
      reject(new AttemptFailure('AGENT_BUSY'))
    }, withinMs)
    pool.waiting.push(waiting)
  })
}

function leave(pool: Pool): void {
  const rank = ({ priority }: Waiting) => priorities.indexOf(priority)
  const first = pool.waiting.reduce<Waiting | undefined>(
    (best, one) => (best === undefined || rank(one) > rank(best) ? one : best),
    undefined,
  )
  if (first === undefined) {
    pool.atWork -= 1
    return
  }
  pool.waiting.splice(pool.waiting.indexOf(first), 1)
  first.admit()
}

function stateOf({ agent, breaker, atWork, waiting }: Pool): PoolState {
  return { agent, breaker: breaker.phase, atWork, waiting: waiting.length }
}

/** No answer: undelivered, silent, or not to be started. What it answers is the step's affair. */
function watched(
  calls: AgentCalls,
  told: (agent: string, said: 'answer' | 'silence') => void,
): AgentCalls {
  const agentOf = (subject: string) =>
    /^agent\.([a-z][a-z0-9-]*)\.\d+\.exec$/.exec(subject)?.[1] ?? ''
  const listen = async <T>(subject: string, call: Promise<T>): Promise<T> => {
    try {
      const reply = await call
      told(agentOf(subject), 'answer')
      return reply
    } catch (error) {
      const silent =
        error instanceof AttemptFailure &&
        (error.type === 'NOT_DELIVERED' || error.type === 'NO_REPLY')
      if (silent) told(agentOf(subject), 'silence')
      throw error
    }
  }
  return {
    at: (priority) => watched(calls.at(priority), told),
    run: (command) => listen(command.subject, calls.run(command)),
    follow: (command) => listen(command.subject, calls.follow(command)),
    async ensure(replica) {
      const reply = await calls.ensure(replica)
      // That it starts is no answer yet; an agent that starts and dies must not keep its breaker shut.
      if (reply.status === 'FAILED' && isOutage(reply.code)) told(replica.agent, 'silence')
      return reply
    },
  }
}

/** It may start another time. What is not configured or shut out is refused at once, every time. */
function isOutage(code: string): boolean {
  return code === 'SANDBOX_FAILED' || code === 'BACKING_OFF' || code === 'TIMEOUT'
}
