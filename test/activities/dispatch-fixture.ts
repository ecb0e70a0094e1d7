// One plan of two steps, its stores, and an attempt whose time is the test's.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ArtifactStore, openArtifactStore } from '../../activities/artifacts.ts'
import type { Attempt } from '../../activities/attempt.ts'
import type { CrashPoint } from '../../activities/dispatch-deps.ts'
import { dispatchStep } from '../../activities/dispatch-step.ts'
import { createDocumentStore } from '../../activities/documents.ts'
import { AttemptFailure } from '../../activities/failure.ts'
import { toFastAttempt } from '../../activities/fast-attempt.ts'
import { createAgentCalls, createNotaryCalls } from '../../activities/notary-calls.ts'
import { createPlanStore } from '../../activities/plan-store.ts'
import { createPools, type Pools } from '../../activities/pools.ts'
import type { AuthorizeReply } from '../../notary/contract.ts'
import type { CompiledPlan, CompiledStep, Priority } from '../../plan/schema.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import type { SourceRef, StepInput, StepResult } from '../../workflows/contract.ts'
import { fakeCatalogue } from '../support/fake-catalogue.ts'
import { type Act, createFakeWorld, type FakeWorld } from '../support/fake-world.ts'

export const requestId = 'req-1'

const common = { join: 'all', when: null, onError: 'abort', timeoutMs: 5_000, attempts: 3 } as const
const steps: readonly CompiledStep[] = [
  {
    ...common,
    id: 'read',
    agent: 'calendar',
    action: 'list',
    effect: 'read',
    args: { calendar: 'work' },
    needs: [],
    undo: null,
  },
  {
    ...common,
    id: 'write',
    agent: 'notes',
    action: 'append',
    effect: 'write',
    args: { text: { $from: 'read#/events/0/summary' } },
    needs: ['read'],
    when: { cel: 'n > 0', with: { n: { $from: 'read#/count' } } },
    undo: { action: 'retract', args: { idem: { $idem: true } } },
  },
]
export const plan: CompiledPlan = {
  version: 1,
  goal: 'write down what is on today',
  inputs: {},
  steps,
  answer: { from: ['read', 'write'] },
}

export interface Bench {
  /** Where its artifacts lie. */
  readonly folder: string
  readonly world: FakeWorld
  readonly artifacts: ArtifactStore
  readonly planRef: string
  readonly points: CrashPoint[]
  /** Milliseconds that the attempts have slept. */
  readonly slept: () => number
  /** Lets time pass for all attempts to come. */
  forward(ms: number): void
  /** Lets the attempts' clock go on by itself. */
  pass(ms: number): void
  readonly heartbeats: () => number
  /** Aborted by a test whose run is cancelled. */
  readonly cancel: AbortController
  /** Of this worker; a test may bring its own. */
  pools: Pools
  /** Called at each crash point; throws to end the attempt there. */
  onPoint: (point: CrashPoint) => void
  dispatch(
    step: string,
    more?: Partial<StepInput> & {
      readonly attempt?: number
      readonly activityType?: string
      readonly lane?: Attempt['lane']
      readonly priority?: Priority
      readonly turnedAway?: number
    },
  ): Promise<StepResult>
  source(step: string, ref: string | null): SourceRef
  /** Dispatches the first step; what the others build on. */
  afterRead(): Promise<readonly SourceRef[]>
  close(): Promise<void>
}

/** What the calendar says is on: the tests' content. */
export const title = 'Dentist on Harley Street'
const honest: Act = async ({ action, idem }) => {
  switch (action) {
    case 'list':
      return { count: 1, events: [{ summary: title }] }
    case 'append':
      return { entry: idem }
    default:
      return { removed: true }
  }
}

export async function createBench(act: Act = honest): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-dispatch-'))
  const artifacts = await openArtifactStore({
    folder,
    key: Buffer.alloc(32, 5),
    sealing: oneKey(Buffer.alloc(32, 5)),
  })
  const text = canonicalJson(plan)
  const planRef = await artifacts.put(Buffer.from(text), {
    kind: 'plan',
    requestId,
    readers: ['user:owner'],
    createdAt: 1,
  })
  const world = await createFakeWorld(act, ({ step, kind }) => {
    if (step === 'read') return { agent: 'calendar', action: 'list' }
    return { agent: 'notes', action: kind === 'do' ? 'append' : 'retract' }
  })
  const points: CrashPoint[] = []
  let sleptMs = 0
  let passedMs = 0
  let heartbeats = 0
  const bench: Bench = {
    folder,
    world,
    artifacts,
    planRef,
    points,
    slept: () => sleptMs,
    forward: (ms) => {
      sleptMs += ms
    },
    pass(ms) {
      passedMs += ms
    },
    heartbeats: () => heartbeats,
    cancel: new AbortController(),
    pools: createPools({ catalogue: fakeCatalogue, now: () => Date.now() + sleptMs }),
    onPoint: () => undefined,
    source: (step, ref) => ({ step, iteration: 0, ref }),
    async afterRead() {
      const { resultRef } = await bench.dispatch('read')
      return [bench.source('read', resultRef)]
    },
    async dispatch(
      step,
      {
        attempt = 1,
        activityType,
        lane = 'regular',
        priority = 'MEDIUM',
        turnedAway = 0,
        ...more
      } = {},
    ) {
      const own = steps.find(({ id }) => id === step)
      const now = () => Date.now() + sleptMs + passedMs
      const about = {
        number: attempt,
        turnedAway,
        scheduledAtMs: now(),
        activityType: activityType ?? `${own?.agent}.${own?.action}`,
        priority,
        runCancelled: bench.cancel.signal,
      }
      const regular: Attempt = {
        ...about,
        lane: 'regular',
        heartbeat: () => {
          heartbeats += 1
        },
        sleep: async (ms) => {
          sleptMs += ms
        },
      }
      const running = lane === 'fast' ? toFastAttempt(about) : regular
      const input: StepInput = {
        planRef,
        digest: sha256(text),
        requestId,
        step,
        iteration: 0,
        kind: 'do',
        sources: [],
        attempts: own?.attempts ?? 1,
        ...more,
      }
      return await dispatchStep(input, running, {
        artifacts,
        plans: createPlanStore(artifacts),
        documents: createDocumentStore(artifacts),
        notary: createNotaryCalls(world.bus),
        agents: createAgentCalls(world.bus),
        pools: bench.pools,
        catalogue: fakeCatalogue,
        now,
        onPoint: (point) => {
          points.push(point)
          bench.onPoint(point)
        },
      })
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
  return bench
}

/** The type an attempt failed with; what it returned, or threw, where it did not. */
export function failureTypeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (result) => ({ no: 'error', result }),
    (error: unknown) => (error instanceof AttemptFailure ? error.type : error),
  )
}

/** The notary says no. */
export const denied = (
  code: Extract<AuthorizeReply, { status: 'DENIED' }>['code'],
): AuthorizeReply => ({
  status: 'DENIED',
  code,
  rules: [],
  message: '',
})
