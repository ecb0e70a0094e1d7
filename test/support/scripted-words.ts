// The planner's part of a run in words, scripted beside the other activities: what is proposed and what
// comes of compiling it, in order; a script that runs out is a failure of the test.

import type { CompileOutcome } from '../../workflows/contract.ts'
import type {
  ProposalOutcome,
  ProposeActivities,
  ProposeInput,
  ProposeOutcome,
} from '../../workflows/propose-contract.ts'

export interface ScriptedWords {
  readonly proposed: readonly (ProposeOutcome | (() => Promise<ProposeOutcome>))[]
  /** `plan`: what compilePlan would come to. */
  readonly compiled: readonly (ProposalOutcome | 'plan')[]
}

export const proposal = (proposalRef: string): ProposeOutcome => ({
  ...{ status: 'PROPOSED', proposalRef },
})
export const refusedFor = (code: string): ProposalOutcome => ({
  ...{ status: 'ISSUES', issues: [{ code, path: '/steps/0' }] },
})
export const askedBack: ProposeOutcome = {
  ...{ status: 'ANSWERED', code: 'QUESTION', answerRef: 'question-ref' },
}

export function scriptWords<Others extends { compilePlan(input: never): Promise<CompileOutcome> }>(
  others: Others,
  { proposed, compiled }: ScriptedWords,
): Others & ProposeActivities & { readonly planner: readonly ProposeInput[] } {
  const planner: ProposeInput[] = []
  const [proposals, outcomes] = [[...proposed], [...compiled]]
  return {
    ...others,
    planner,
    async proposePlan(input) {
      planner.push(input)
      const next = proposals.shift()
      if (next === undefined) throw new Error('the planner was asked too often')
      return typeof next === 'function' ? next() : next
    },
    async compileProposal(input) {
      const next = outcomes.shift()
      if (next === undefined) throw new Error('compiled too often')
      return next === 'plan' ? others.compilePlan(input as never) : next
    },
  }
}
