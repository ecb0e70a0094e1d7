// The activities of a loop against a real notary and real stores: only the agent is a double, which
// signs what it is told to return. Does what the workflow does, one call at a time.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ArtifactStore, openArtifactStore } from '../../activities/artifacts.ts'
import type { Attempt } from '../../activities/attempt.ts'
import { composeAnswer } from '../../activities/compose-answer.ts'
import type { DispatchDeps } from '../../activities/dispatch-deps.ts'
import { dispatchStep } from '../../activities/dispatch-step.ts'
import { createDocumentStore } from '../../activities/documents.ts'
import { expandLoop } from '../../activities/expand-loop.ts'
import { gatherLoop } from '../../activities/gather-loop.ts'
import type { AgentCalls, NotaryCalls } from '../../activities/notary-calls.ts'
import { createPlanStore } from '../../activities/plan-store.ts'
import { createPools } from '../../activities/pools.ts'
import type { Reply } from '../../agents/protocol.ts'
import type { SettleCall, SettleReply } from '../../notary/contract.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import type { SourceRef, StepInput } from '../../workflows/contract.ts'
import { catalogue } from '../notary/catalogue.ts'
import { createHarness, execute, type Happened, type Harness, type Run } from '../notary/harness.ts'

type Act = (action: string, args: Readonly<Record<string, unknown>>) => Happened

export interface LoopWorld {
  readonly harness: Harness
  readonly run: Run
  readonly artifacts: ArtifactStore
  /** What the agent did, in order: `append one`. */
  readonly done: string[]
  /** Calls to the notary, which a test may change on their way, or answer itself. */
  override: { settle?: (call: SettleCall) => SettleCall; answer?: () => SettleReply }
  inputOf(step: string, sources: readonly SourceRef[], change?: Partial<StepInput>): StepInput
  dispatch(input: StepInput): ReturnType<typeof dispatchStep>
  expand(input: StepInput): ReturnType<typeof expandLoop>
  gather(step: string): ReturnType<typeof gatherLoop>
  compose(sources: readonly SourceRef[]): Promise<string>
  close(): Promise<void>
}

export async function createLoopWorld(source: string, act: Act): Promise<LoopWorld> {
  const harness = await createHarness()
  const run = await harness.run(source)
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-loop-'))
  const key = Buffer.alloc(32, 5)
  const artifacts = await openArtifactStore({ folder, key, sealing: oneKey(key) })
  const { requestId, digest } = run
  const planRef = await artifacts.put(Buffer.from(canonicalJson(run.plan)), {
    ...{ kind: 'plan', requestId, readers: ['user:owner'], createdAt: 1 },
  })
  const plans = createPlanStore(artifacts)
  const done: string[] = []
  const { now } = harness.clock
  const world: Pick<LoopWorld, 'override'> = { override: {} }
  const notary: NotaryCalls = {
    admit: (call) => harness.notary.admit('worker', call),
    authorize: (call) => harness.notary.authorize('worker', call),
    settle: async (call) =>
      world.override.answer?.() ??
      (await harness.notary.settle('worker', world.override.settle?.(call) ?? call)),
  }
  const deps: DispatchDeps = {
    ...{ artifacts, plans, documents: createDocumentStore(artifacts), catalogue, now, notary },
    pools: createPools({ catalogue, now }),
    agents: agentOf(harness, (action, args) => {
      done.push([action, ...Object.values(args).filter((one) => one !== false)].join(' '))
      return act(action, args)
    }),
  }
  const attempt: Attempt = {
    number: 1,
    turnedAway: 0,
    scheduledAtMs: now(),
    activityType: 'desk.append',
    lane: 'regular',
    priority: 'MEDIUM',
    heartbeat: () => undefined,
    runCancelled: new AbortController().signal,
    sleep: async (ms) => {
      harness.clock.time += ms
    },
  }
  const steps = new Map(run.plan.steps.map((step) => [step.id, step]))
  return Object.assign(world, {
    ...{ harness, run, artifacts, done },
    inputOf: (step: string, sources: readonly SourceRef[], change: Partial<StepInput> = {}) => ({
      ...{ planRef, digest, requestId, step, iteration: 0, kind: 'do' as const, sources },
      ...{ attempts: 5, ...change },
    }),
    dispatch: (input: StepInput) => {
      const step = steps.get(input.step)
      const activityType = `${step?.agent}.${step?.action}`
      return dispatchStep(input, { ...attempt, activityType }, deps)
    },
    expand: (input: StepInput) => expandLoop(input, attempt, deps),
    gather: (step: string) => gatherLoop({ planRef, digest, requestId, step }, deps),
    async compose(sources: readonly SourceRef[]) {
      const { answerRef } = await composeAnswer(
        { requestId, planRef, sources },
        { artifacts, plans, now },
      )
      return Buffer.from((await artifacts.get(answerRef)).bytes).toString('utf8')
    },
    async close() {
      await harness.close()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

interface Claims {
  readonly jti: string
  readonly idem: string
  readonly aud: string
  readonly authorization_details: readonly [
    { readonly action: string; readonly args_s256: string; readonly salt: string },
  ]
}

/** An agent whose ledger is empty: it does whatever a token says, and signs what came of it. */
function agentOf({ keys }: Harness, act: Act): AgentCalls {
  const calls: AgentCalls = {
    at: () => calls,
    run: async ({ token, args }): Promise<Reply> => {
      const claims: Claims = JSON.parse(
        Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
      )
      const [, agent = '', bootEpoch = ''] = claims.aud.split(':')
      const [{ action, args_s256: argsHash, salt }] = claims.authorization_details
      const happened = act(action, args)
      const about = { ...claims, argsHash, salt, agent, bootEpoch }
      const { receipt, envelope, content } = await execute(about as never, happened, keys.receipt)
      switch (happened.status) {
        case 'DONE':
          return { status: 'DONE', result: content, receipt, envelope }
        case 'FAILED': {
          const { code, retry } = happened
          return { status: 'FAILED', code, retry, receipt, envelope }
        }
        case 'UNKNOWN':
          return { status: 'UNKNOWN', receipt, envelope }
      }
    },
    follow: async () => {
      throw new Error('nothing is out')
    },
    ensure: async () => {
      throw new Error('it runs')
    },
  }
  return calls
}
