// The `request` workflow: wires the fixed interpreter to the SDK and holds no logic of its own. The
// plan is data that an activity has compiled and the notary has admitted; what it names is compared
// with a pattern and handed to Temporal as an activity type, never used to look anything up here.
// Must not import Node, zod or anything that reads content.

import {
  CancellationScope,
  defineQuery,
  defineUpdate,
  isCancellation,
  patched,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import { untilAdmitted } from './admission.ts'
import { createAhead } from './ahead.ts'
import {
  type ApproveInput,
  approveUpdate,
  giveUpUpdate,
  type RequestInput,
  type ResolveInput,
  type RetryInput,
  type RunResult,
  type RunState,
  resolveUpdate,
  retryUpdate,
  type SourceRef,
  stateQuery,
} from './contract.ts'
import { refuseApprove, refuseGiveUp, refuseResolve, refuseRetry } from './decisions.ts'
import { createDispatch } from './dispatch.ts'
import { createRunLane } from './locally.ts'
import { isNothingToReport } from './nothing-to-report.ts'
import { createPlanning } from './planning.ts'
import { planWords } from './proposing.ts'
import {
  type Controls,
  createControls,
  createProgress,
  type Progress,
  runPlan,
} from './run-plan.ts'
import { createRunPorts } from './run-ports.ts'
import { statusAttribute } from './search-attributes.ts'
import { toFailureCode } from './step-failure.ts'

const state = defineQuery<RunState>(stateQuery)
const retry = defineUpdate<void, [RetryInput]>(retryUpdate)
const resolve = defineUpdate<void, [ResolveInput]>(resolveUpdate)
const giveUp = defineUpdate<void, []>(giveUpUpdate)
const approve = defineUpdate<void, [ApproveInput]>(approveUpdate)

/** Carries one registered request from its plan to its answer. */
export async function request(input: RequestInput): Promise<RunResult> {
  let progress: Progress = new Map()
  const lane = createRunLane()
  const planning = createPlanning(input, lane)
  const controls = createControls()
  // Runs of before this change drain what is out by themselves, and are replayed so.
  const follows = patched('follow-what-is-out')
  let current: Omit<RunState, 'steps'> = { status: 'running' }
  let consulted: Pick<RunState, 'consulted'> = {}
  setHandler(state, () => ({ ...current, ...consulted, steps: [...progress.values()] }))
  const decisions = () => ({ progress, ...controls })
  takeDecisions(controls, decisions)
  const setStatus = (now: Omit<RunState, 'steps'>) => {
    current = now
    upsertSearchAttributes([{ key: statusAttribute, value: now.status }])
  }
  const finish = (end: Pick<RunState, 'status' | 'code'>, answerRef: string | null): RunResult => {
    current = end
    upsertSearchAttributes([{ key: statusAttribute, value: end.status }])
    return { ...end, ...consulted, steps: [...progress.values()], answerRef }
  }
  try {
    const ports = createRunPorts(input.requestId, lane)
    const compiled = await untilAdmitted(controls.questions, {
      ...ports,
      compile:
        input.text === true
          ? planWords(input, lane, (models) => {
              consulted = { consulted: models }
            })
          : () => planning.compilePlan(input),
      onAsked: (approval) =>
        setStatus(
          approval === null
            ? { status: 'running' }
            : { status: 'waiting-approval', approvals: [approval] },
        ),
    })
    if (compiled.status !== 'ADMITTED') {
      const status = compiled.status === 'DENIED' ? 'denied' : 'failed'
      const answerRef = compiled.status === 'ANSWERED' ? compiled.answerRef : null
      return finish({ status, code: compiled.code }, answerRef)
    }
    const { skeleton } = compiled
    progress = createProgress(skeleton)
    const { requestId } = input
    const ahead = createAhead()
    const compose = async (sources: readonly SourceRef[]) =>
      ahead.answer(sources) ??
      (await planning.composeAnswer({ requestId, planRef: skeleton.planRef, sources }))
    const early = createEarlyAnswer(compose, (answerRef) =>
      setStatus({ status: 'scheduled', answerRef }),
    )
    const { sources, ...end } = await runPlan(
      { requestId, skeleton, progress, controls },
      {
        ...ports,
        dispatch: createDispatch(follows, lane, skeleton.ahead === true ? ahead : undefined),
        onStatus: (status, soFar) => {
          if (status === 'scheduled') return early.want(soFar)
          early.forget()
          setStatus({ status })
        },
      },
    )
    early.forget()
    // A run that did all it was asked gets its answer even if it is cancelled at the last moment.
    const answer =
      end.status === 'completed'
        ? await CancellationScope.nonCancellable(() => compose(sources))
        : null
    const result = finish(end, answer?.answerRef ?? null)
    const isNothing = isNothingToReport(progress, answer?.isEmpty === true)
    return isNothing ? { ...result, nothingToReport: true } : result
  } catch (error) {
    if (isCancellation(error)) return finish({ status: 'cancelled' }, null)
    return finish({ status: 'failed', code: toFailureCode(error) }, null)
  }
}

/** Validators are synchronous and throw ApplicationFailure only: anything else wedges the run. */
function takeDecisions(
  { orders, questions }: Controls,
  now: () => Pick<Controls, 'held' | 'iteration'> & { readonly progress: Progress },
): void {
  setHandler(retry, (given) => void orders.push({ kind: 'retry', retry: given }), {
    validator: (given) => refuseRetry(given, now()),
  })
  setHandler(resolve, (answer) => void orders.push({ kind: 'resolve', answer }), {
    validator: (answer) => refuseResolve(answer, now()),
  })
  setHandler(giveUp, () => void orders.push({ kind: 'give-up' }), {
    validator: () => refuseGiveUp(now()),
  })
  setHandler(approve, ({ approvals }) => questions.decide(approvals), {
    validator: (given) => refuseApprove(given),
  })
}

/**
 * The answer to what a run has done before its steps that wait for a time. Composed while the run goes
 * on; what comes too late, because the run is over or goes on with something else, is not told.
 * @param tell null: nothing could be composed
 */
function createEarlyAnswer(
  compose: (sources: readonly SourceRef[]) => Promise<{ readonly answerRef: string }>,
  tell: (answerRef: string | null) => void,
) {
  let wanted: readonly SourceRef[] | null = null
  return {
    want(sources: readonly SourceRef[]) {
      wanted = sources
      const publish = (answerRef: string | null) => {
        if (wanted === sources) tell(answerRef)
      }
      compose(sources).then(
        ({ answerRef }) => publish(answerRef),
        () => publish(null),
      )
    },
    forget() {
      wanted = null
    },
  }
}
