// Hop 4: from registered words to what some planner proposes, and from the proposal to the skeleton of an
// admitted plan. The planner is a port: what it is given and how its answer is read, planner/propose.ts
// says. Its proposal is kept before anything is made of it, so that a crash repeats the same bytes.

import { compileProposal as compile } from '../plan/compile-proposal.ts'
import { dayOf } from '../plan/schedule-times.ts'
import { describeActions } from '../planner/catalogue.ts'
import {
  askPlanner,
  type PlannerInput,
  type Propose,
  type Proposed,
  toPrevious,
} from '../planner/propose.ts'
import type { RequestInput } from '../workflows/contract.ts'
import type {
  Answered,
  ProposalOutcome,
  ProposeInput,
  ProposeOutcome,
} from '../workflows/propose-contract.ts'
import type { Artifact } from './artifacts.ts'
import { admitPlan, type CompileDeps, namesOfReader } from './compile-plan.ts'
import { toInertText } from './compose-answer.ts'
import { answerOf, type ConsultDeps, noAnswer } from './consult.ts'
import { AttemptFailure } from './failure.ts'
import { compileWithHandles } from './read-handles.ts'
import { readTold } from './read-told.ts'
import { routeModels } from './route-models.ts'
import { wordsIn } from './words-of.ts'

export interface ProposeDeps extends ConsultDeps {
  /** Asked where no models are set up. */
  readonly propose: Propose
}

/** @throws AttemptFailure, ArtifactError, PlannerError, and whatever the planner throws */
export async function proposePlan(asked: ProposeInput, deps: ProposeDeps): Promise<ProposeOutcome> {
  const { requestId, requestRef, consulted } = asked
  const { artifacts, now, planner = [] } = deps
  const { words, meta } = wordsIn(await artifacts.get(requestRef), requestId)
  if (consulted === undefined && planner.length > 0) {
    const told = await readTold(requestId, deps.notary)
    return { status: 'CONSULT', ...routeModels(asked, { words, planner, told }, deps) }
  }
  const proposed = await proposedFor(asked, words, deps)
  if (proposed === undefined) return { status: 'UNANSWERED' }
  const about = { requestId, readers: meta.readers, createdAt: now() }
  if (proposed.kind === 'proposal') {
    const bytes = Buffer.from(proposed.proposal)
    return {
      status: 'PROPOSED',
      proposalRef: await artifacts.put(bytes, { kind: 'proposal', ...about }),
    }
  }
  const code = proposed.kind === 'question' ? 'QUESTION' : proposed.reason
  const answerRef = await artifacts.put(Buffer.from(answerText(proposed)), {
    kind: 'answer',
    ...about,
  })
  return { status: 'ANSWERED', code, answerRef } satisfies Answered
}

/** What the planner says, or the models that were asked in its place; undefined: one that has not answered. */
async function proposedFor(
  { requestId, previous, consulted }: ProposeInput,
  words: string,
  deps: ProposeDeps,
): Promise<Proposed | undefined> {
  const { artifacts, zone, now, propose, catalogue } = deps
  if (consulted !== undefined) {
    if ('failed' in consulted) return noAnswer(consulted.failed)
    const answered = await answerOf(consulted.answer, artifacts)
    // It had answered: a loss, which asking another must not hide.
    if (answered === undefined && consulted.isUnsure !== true) {
      throw new AttemptFailure('ARTIFACT_MISSING')
    }
    return answered
  }
  const input: PlannerInput = {
    ...{ words, zone, today: dayOf(zone, now()), actions: [...describeActions(catalogue)] },
    ...(previous === undefined ? {} : { previous: await recall(previous, requestId, deps) }),
  }
  return askPlanner(propose, input)
}

/** @throws AttemptFailure, ArtifactError */
export async function compileProposal(
  input: RequestInput & { readonly proposalRef: string },
  deps: CompileDeps,
): Promise<ProposalOutcome> {
  const { requestId, requestRef, proposalRef } = input
  const { words, meta } = wordsIn(await deps.artifacts.get(requestRef), requestId)
  const proposal = proposalIn(await deps.artifacts.get(proposalRef), requestId)
  const { catalogue, decide } = deps
  const names = namesOfReader(deps, meta)
  const compiled = await compileWithHandles(
    (handles) => compile({ proposal, words }, { catalogue, decide, names, handles }),
    requestId,
    deps.notary,
  )
  if (!compiled.ok) {
    return { status: 'ISSUES', issues: compiled.issues.map(({ code, path }) => ({ code, path })) }
  }
  return admitPlan(compiled, { input, call: { requestId, proposal } }, deps)
}

function proposalIn({ bytes, meta }: Artifact, requestId: string): string {
  if (meta.kind !== 'proposal' || meta.requestId !== requestId) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  return Buffer.from(bytes).toString('utf8')
}

/** Its own proposal, and of what is wrong with it codes and places (R7). */
async function recall(
  { proposalRef, issues }: NonNullable<ProposeInput['previous']>,
  requestId: string,
  { artifacts }: ProposeDeps,
): Promise<NonNullable<PlannerInput['previous']>> {
  const proposal = proposalIn(await artifacts.get(proposalRef), requestId)
  return toPrevious(proposal, issues)
}

/** For the person: what the planner wants to know, or why it will not. Whoever reads it types on. */
function answerText(proposed: Exclude<Proposed, { kind: 'proposal' }>): string {
  const options = proposed.kind === 'question' ? proposed.options : []
  const lines = [proposed.text, ...options.map((option) => `- ${option}`)]
  const next =
    proposed.kind === 'question'
      ? 'ask again with the answer in it: npx bulkhead ask "..."'
      : 'what can be asked by name: npx bulkhead recipes'
  return toInertText([...lines.map((line) => line.replaceAll(/\s+/g, ' ')), '', next].join('\n'))
}
