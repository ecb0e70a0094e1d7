// Loops as facts. How many iterations one has is worked out here, from results that receipts vouch
// for, and written down before any of them may begin; whoever claims another number is not heard. A
// loop that cannot be expanded ends as a step does that cannot be begun.

import { limits } from '../plan/limits.ts'
import { itemsOf } from '../plan/loops.ts'
import { sourcesIn, sourcesOf } from '../plan/references.ts'
import { askList } from './ask.ts'
import { reasonsOf } from './conditions.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { SettleCall, SettleReply, Source } from './contract.ts'
import { decideFlow } from './flow.ts'
import { forwardRefusal } from './forward.ts'
import type { Located } from './locate.ts'
import { type LoopRecord, wholeLoop } from './loop-state.ts'
import { decidePolicy } from './policy.ts'
import { isLoopPassed, presentResults, productOfLoop } from './product.ts'
import { loadSources, productNamed } from './provenance.ts'
import { useUp } from './questions.ts'
import { guardOf, type ResolvedArgs, resolveStep } from './resolve.ts'
import type { Writer } from './store.ts'
import { departedRefusal } from './users.ts'

interface LoopJob {
  readonly context: NotaryContext
  readonly writer: Writer
  readonly located: Located
  /** Who asks. */
  readonly account: string
}
type Answer = SettleReply | { readonly refusal: Refusal }
type Ended = {
  readonly outcome: NonNullable<LoopRecord['outcome']>
  readonly code: string
}

/** Resolves the list and records how long it is. The same answer for the same expansion. */
export function expandLoop(
  job: LoopJob,
  call: Extract<SettleCall, { readonly type: 'loop' }>,
): Answer {
  const { context, writer, located } = job
  const { step, loop, address } = located
  if (step.forEach === undefined || address.kind !== 'do') return noLoop
  if (loop !== undefined) return loopReply(loop)
  const untimely =
    departedRefusal(located.request.user, context.users) ?? forwardRefusal(located, writer)
  if (untimely !== undefined) return { refusal: untimely }
  const { forEach } = step
  const ports = { located, cache: context.sources }
  const loaded = loadSources(sourcesIn(forEach.in), call.sources, ports)
  if (loaded.status === 'NEED_SOURCES') return loaded
  if (loaded.status === 'REFUSED') {
    const { code } = loaded.refusal
    // What it builds on has no result: that is how a run goes, and nobody's prohibition.
    if (code === 'NO_RESULT') return endLoop(job, { outcome: 'failed', code })
    const isFate = code === 'LIMIT' || code === 'UNKNOWN_HANDLE'
    return isFate ? endLoop(job, { outcome: 'denied', code }) : loaded
  }
  const items = itemsOf(forEach, loaded.sources)
  if (items === undefined) return endLoop(job, { outcome: 'denied', code: 'ARGS_INVALID' })
  if (items.count > Math.min(forEach.max, limits.loopItems)) {
    return endLoop(job, { outcome: 'denied', code: 'LIMIT' })
  }
  const answer = askAboutList(job, call, items.count)
  if (answer !== undefined) return answer
  const sources = JSON.stringify(loaded.sources.hashes)
  const expanded = newLoop(job, { count: items.count, sources })
  writer.state.insertLoop(expanded)
  note(job, { decision: 'expanded', count: items.count, rerun: expanded.rerun })
  return loopReply(expanded)
}

/** What a person says of the list, where a rule asks: undefined where the loop may begin. */
function askAboutList(
  job: LoopJob,
  call: Extract<SettleCall, { readonly type: 'loop' }>,
  count: number,
): Answer | undefined {
  const { context, writer, located } = job
  const policy = decidePolicy(context, located)
  const flow = decideFlow(context, located)
  // Of what no rule allows each iteration is denied by itself.
  if ('refusal' in policy || 'refusal' in flow || count === 0) return undefined
  const reasons = reasonsOf(policy.asks, flow)
  if (reasons.rules.length === 0) return undefined
  const isGuarded = flow.questions.length > 0 && located.step.when !== null
  const resolved = resolveItems(context, { located, call, count, isGuarded })
  if ('status' in resolved || 'refusal' in resolved) return resolved
  if ('code' in resolved) return endLoop(job, { outcome: 'denied', code: resolved.code })
  const { rerun } = newLoop(job, { count, sources: '{}' })
  const { items } = resolved
  const answer = askList(context, writer, { located, rerun, ...reasons, items })
  if (answer === undefined) return undefined
  if ('reply' in answer) return answer.reply
  if ('refusal' in answer) return endLoop(job, { outcome: 'denied', code: answer.refusal.code })
  useUp(writer, answer.approved)
  return undefined
}

/** The arguments of every iteration, from what the notary itself knows to be its sources. */
function resolveItems(
  { sources: cache }: NotaryContext,
  asked: {
    readonly located: Located
    readonly call: Extract<SettleCall, { readonly type: 'loop' }>
    readonly count: number
    /** Whether items are left out for which the guard is not true. */
    readonly isGuarded: boolean
  },
):
  | Answer
  | { readonly items: readonly (ResolvedArgs | null)[] }
  | { readonly code: Refusal['code'] } {
  const { located, call, count, isGuarded } = asked
  const { step } = located
  const wanted = sourcesOf(isGuarded ? step : { ...step, when: null })
  const named = wanted.flatMap((id): Source[] => {
    const given = call.sources.find((source) => source.step === id)
    if (given !== undefined) return [given]
    const product = productNamed(id, located)
    return product?.is === 'result' ? [{ step: id, iteration: 0, hash: product.hash }] : []
  })
  const items: (ResolvedArgs | null)[] = []
  let characters = 0
  for (let iteration = 0; iteration < count; iteration += 1) {
    const address = { ...located.address, iteration }
    const loaded = loadSources(wanted, named, { located: { ...located, address }, cache })
    if (loaded.status === 'NEED_SOURCES') return loaded
    if (loaded.status === 'REFUSED') return loaded
    if (isGuarded && guardOf(step, loaded.sources) !== 'TRUE') {
      items.push(null)
      continue
    }
    const args = resolveStep(step, loaded.sources)
    if (args === undefined) return { code: 'ARGS_INVALID' }
    // Before all of them are in memory: nobody would be shown so long a card.
    characters += JSON.stringify(args).length
    if (characters > limits.cardBytes) return { code: 'LIMIT' }
    items.push(args)
  }
  return { items }
}

/** Ends the loop before it has an iteration. */
export function endLoop(job: LoopJob, ended: Ended): Answer {
  const { writer, located } = job
  const { step, request } = located
  const loop = { ...newLoop(job, { count: 0, sources: '{}' }), ...ended }
  writer.state.insertLoop(loop)
  if (ended.outcome !== 'skipped' && step.onError === 'abort') {
    writer.state.abortRequest(request.id, step.id)
  }
  note(job, { decision: 'loop-ended', ...ended, rerun: loop.rerun })
  return loopReply(loop)
}

/** What the iterations of a loop that is over have come to, so that its results can be put together. */
export function gatherLoop({ context, writer, located }: LoopJob): Answer {
  const { step, loop } = located
  if (step.forEach === undefined || loop === undefined) return noLoop
  if (!isLoopPassed(step, loop)) {
    return { refusal: { code: 'NEEDS_UNSETTLED', message: 'the loop is not over' } }
  }
  const { catalogue } = context
  const product = productOfLoop(step, loop, { state: writer.state, catalogue })
  const results = presentResults(loop, writer.state)
  return {
    status: 'GATHERED',
    ...(product.is === 'result' ? { hash: product.hash } : {}),
    results: results.map(({ rerun, hash }) => ({ rerun, hash })),
  }
}

/** The loop as a whole; SETTLED where it ended before it had an iteration. */
export function loopReply({ count, rerun, outcome, code }: LoopRecord): SettleReply {
  if (outcome === null) return { status: 'LOOP', count, rerun }
  return { status: 'SETTLED', outcome, ...(code === null ? {} : { code }) }
}

const noLoop: Answer = { refusal: { code: 'UNKNOWN_STEP', message: 'the step is no loop' } }

function newLoop(
  { writer, located }: LoopJob,
  { count, sources }: Pick<LoopRecord, 'count' | 'sources'>,
): LoopRecord {
  const { request, step } = located
  const none = { settled: 0, skipped: 0, failed: 0, unknown: 0 }
  const ended = { outcome: null, code: null, hash: null }
  const rerun = writer.state.rerunOf(request.id, step.id, wholeLoop)
  return { request: request.id, step: step.id, rerun, count, ...none, ...ended, sources }
}

function note({ writer, located, account }: LoopJob, body: object): void {
  writer.append({
    kind: 'decision',
    actor: account,
    subject: located.step.id,
    correlation: located.request.id,
    body: { call: 'settle', ...body },
  })
}
