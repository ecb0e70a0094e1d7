// A run in memory: the real interpreter, dispatcher and loops on a notary of the test's, and what Temporal
// would do in between without its pauses. Time is the harness's, and moves where somebody waits for it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { openArtifactStore } from '../../activities/artifacts.ts'
import type { Attempt } from '../../activities/attempt.ts'
import type { DispatchDeps } from '../../activities/dispatch-deps.ts'
import { dispatchStep } from '../../activities/dispatch-step.ts'
import { createDocumentStore } from '../../activities/documents.ts'
import { expandLoop } from '../../activities/expand-loop.ts'
import { AttemptFailure } from '../../activities/failure.ts'
import { gatherLoop } from '../../activities/gather-loop.ts'
import type { AgentCalls } from '../../activities/notary-calls.ts'
import { createPlanStore } from '../../activities/plan-store.ts'
import { createPools } from '../../activities/pools.ts'
import type { Catalogue } from '../../plan/manifest.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { toSkeleton } from '../../plan/skeleton.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { finalFailureTypes, type StepInput, type StepResult } from '../../workflows/contract.ts'
import { createChunkProgress, runChunk } from '../../workflows/run-chunk.ts'
import { createControls, createProgress, type RunPorts, runPlan } from '../../workflows/run-plan.ts'
import type { Harness } from '../notary/harness.ts'

/** What a command is about. */
export interface Place {
  readonly step: string
  readonly iteration: number
  readonly kind: 'do' | 'undo'
}

export interface MemoryRun {
  readonly harness: Harness
  readonly catalogue: Catalogue
  readonly requestId: string
  /** Admitted, with its digest and what the notary decided of its times. */
  readonly plan: CompiledPlan
  readonly digest: string
  readonly at?: Readonly<Record<string, number>> | undefined
  /** Where artifacts lie. */
  readonly folder: string
  agentsAt(place: Place): AgentCalls
  /** Asked when the run waits for a person: decides, and says on which approvals. */
  person?(): Promise<readonly string[]>
}

type Deps = Omit<DispatchDeps, 'agents'> & { agentsAt(place: Place): AgentCalls }

const key = Buffer.alloc(32, 5)

/** @returns the run's status */
export async function runInMemory(given: MemoryRun): Promise<string> {
  const { harness, catalogue, requestId, plan, digest, at } = given
  const artifacts = await openArtifactStore({ folder: given.folder, key, sealing: oneKey(key) })
  const planRef = await artifacts.put(Buffer.from(canonicalJson(plan)), {
    ...{ kind: 'plan', requestId, readers: ['user:owner'], createdAt: 1 },
  })
  const skeleton = toSkeleton(plan, { planRef, digest, laneOf: () => 'regular', at })
  const { now } = harness.clock
  const deps: Deps = {
    ...{ artifacts, plans: createPlanStore(artifacts), catalogue, now },
    documents: createDocumentStore(artifacts),
    notary: {
      admit: (asked) => harness.notary.admit('worker', asked),
      authorize: (asked) => harness.notary.authorize('worker', asked),
      settle: (asked) => harness.notary.settle('worker', asked),
    },
    pools: createPools({ catalogue, now }),
    agentsAt: given.agentsAt,
  }
  const controls = createControls()
  const progress = createProgress(skeleton)
  const ports = portsOf(harness, deps)
  // Nobody's time passes while a person decides.
  let deciding: Promise<void> = Promise.resolve()
  const { status } = await runPlan(
    { requestId, skeleton, progress, controls },
    {
      ...ports,
      onStatus(became) {
        if (became !== 'waiting-approval' || given.person === undefined) return
        deciding = given.person().then((decided) => controls.questions.decide(decided))
      },
      async sleepUntil(time) {
        await nextTurn()
        await deciding
        harness.clock.time = Math.max(harness.clock.time, time)
      },
    },
  )
  return status
}

/** Temporal's part: attempts one after the other, without its pauses. */
function portsOf({ clock }: Harness, deps: Deps): RunPorts {
  const sleep = async (ms: number) => {
    clock.time += ms
    await nextTurn()
  }
  const attempted = async <T>(
    type: string,
    attempts: number,
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T | string> => {
    let [number, turnedAway] = [1, 0]
    let last = 'INTERNAL'
    while (number <= attempts + 3 && turnedAway < 50) {
      try {
        return await work({
          ...{ lane: 'regular', number, turnedAway, scheduledAtMs: clock.time, activityType: type },
          ...{ priority: 'MEDIUM', heartbeat: () => undefined, sleep },
          runCancelled: new AbortController().signal,
        })
      } catch (error) {
        if (!(error instanceof AttemptFailure)) throw error
        last = error.type
        if (finalFailureTypes.some((final) => final === last)) break
        if (error.isFree) turnedAway += 1
        else number += 1
        await sleep(error.retryMs ?? 500)
      }
    }
    return last
  }
  const lost = (code: string, effect: string): StepResult => {
    const outcome = effect === 'read' ? 'failed' : 'unknown'
    return { outcome, code, resultRef: null, attempts: 0, durationMs: 0 }
  }
  const ports: RunPorts = {
    async dispatch({ type, effect }, input) {
      const agents = deps.agentsAt(input)
      const result = await attempted(type, input.attempts, (one) =>
        dispatchStep(input, one, { ...deps, agents }),
      )
      return typeof result === 'string' ? lost(result, effect) : result
    },
    async expand(input) {
      const result = await attempted('', 5, (one) => expandLoop(input, one, deps))
      return typeof result === 'string' ? lost(result, 'read') : result
    },
    async gather({ planRef, digest, requestId: request, step }: StepInput) {
      const about = { planRef, digest, requestId: request, step }
      const result = await attempted('', 5, () => gatherLoop(about, deps))
      return typeof result === 'string' ? { resultRef: null, code: result } : result
    },
    chunk: (_name, input) => {
      const chunk = createChunkProgress(input)
      return {
        result: runChunk(input, chunk, ports),
        stop: () => {
          chunk.stopping = true
        },
      }
    },
    async until(ready) {
      while (!ready()) await nextTurn()
    },
    onStatus: () => undefined,
    now: () => clock.time,
    sleepUntil: async () => undefined,
    isCancellation: () => false,
    cancelled: () => false,
    shielded: (work) => work(),
  }
  return ports
}
