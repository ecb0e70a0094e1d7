// What crosses between a run that was asked for in words and its activities. References, codes and places
// only: what a planner said lies in the artifact store. Types only, as in contract.ts.

import type { Answer, Candidate, ConsultedModel } from './consult-contract.ts'
import type { CompileOutcome, RequestInput } from './contract.ts'

/** What is wrong with a proposal, and where in it. */
export interface ProposalIssue {
  readonly code: string
  readonly path: string
}

export interface ProposeInput {
  readonly requestId: string
  readonly requestRef: string
  /** Its last proposal, and why that was refused; absent: it is asked for the first time. */
  readonly previous?: {
    readonly proposalRef: string
    readonly issues: readonly ProposalIssue[]
  }
  /** Models were asked: the one that answered, or those that did not. */
  readonly consulted?:
    | {
        readonly answer: Answer
        /** Whether that one answered, its run of before does not say: no answer is then UNANSWERED. */
        readonly isUnsure?: true
      }
    | { readonly failed: readonly ConsultedModel[] }
}

export type ProposeOutcome =
  | { readonly status: 'PROPOSED'; readonly proposalRef: string }
  /** Models are to be asked, in this order, until one answers. */
  | {
      readonly status: 'CONSULT'
      readonly candidates: readonly Candidate[]
      /** Not asked at all, and why. */
      readonly leftOut?: readonly ConsultedModel[]
    }
  /** Of the model that was not sure to have answered there is no answer. */
  | { readonly status: 'UNANSWERED' }
  | Answered

/** All that a planner comes to, once models have been asked where there are any. */
export type Said = Exclude<ProposeOutcome, { readonly status: 'CONSULT' | 'UNANSWERED' }>

/** The planner has a question, or will not: that is all that comes of the run. */
export interface Answered {
  readonly status: 'ANSWERED'
  /** `QUESTION`, or the reason of a refusal. */
  readonly code: string
  /** The planner's words for the person, as inert text. */
  readonly answerRef: string
}

export type ProposalOutcome =
  | CompileOutcome
  /** It may be proposed otherwise once; the notary has not seen it. */
  | { readonly status: 'ISSUES'; readonly issues: readonly ProposalIssue[] }

export interface ProposeActivities {
  /** Asks the planner, or says which models to ask. Repeated after a crash it may propose something else. */
  proposePlan(input: ProposeInput): Promise<ProposeOutcome>
  /** Compiles the proposal and has it admitted. The notary takes one for each request. */
  compileProposal(input: RequestInput & { readonly proposalRef: string }): Promise<ProposalOutcome>
}
