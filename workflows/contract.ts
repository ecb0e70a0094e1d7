// What crosses between the workflow, its activities and the client. Ids, digests, references and
// labels only: whatever is written here is stored in Temporal's history. Types only, so that the
// workflow bundle stays free of zod and of Node.

import type { PlanSkeleton } from '../plan/schema.ts'
import type { ConsultedModel, ConsultInput, StepProgress } from './consult-contract.ts'

export type { StepProgress } from './consult-contract.ts'

export const taskQueue = 'bulkhead'
export const workflowType = 'request'
/** Name of the query that answers with a `RunState`. */
export const stateQuery = 'state'

/**
 * Updates by which a person's decision reaches a held run. The notary must have recorded it before;
 * an update alone opens nothing, because every effect still asks the notary.
 */
export const retryUpdate = 'retrySteps'
export const resolveUpdate = 'resolveStep'
export const giveUpUpdate = 'giveUp'
/** Wakes a run that waits for these approvals, which were decided, whichever way. */
export const approveUpdate = 'approve'
export interface ApproveInput {
  readonly approvals: readonly string[]
}

/** What a person has been asked; notary/approval-contract.ts shows it. */
export interface OpenApproval {
  readonly id: string
  /** Milliseconds since the epoch: from then on it counts as denied. */
  readonly expiresAt: number
}

/** As the notary answered: what runs again, and as which rerun. */
export interface RetryInput {
  readonly step: string
  /** Of a loop: which iterations; without a number the whole loop, from its list on. */
  readonly reruns: readonly {
    readonly step: string
    readonly rerun: number
    readonly iteration?: number | undefined
  }[]
}

export interface ResolveInput {
  readonly step: string
  readonly happened: boolean
  /** Of a loop: which one is meant. */
  readonly iteration?: number
}

export const anchorWorkflowType = 'auditAnchor'
/** No request can have this id: theirs begin with a letter or a digit. */
export const anchorId = '_audit-anchor'
export const witnessSignal = 'witness'

/** A signed head of the audit; security/audit/checkpoint.ts says what it means. */
export interface AnchoredHead {
  readonly size: number
  readonly root: string
  readonly at: number
  readonly jws: string
}

export interface AnchorInput {
  readonly head?: AnchoredHead | null
}

/**
 * Why an attempt ended without an outcome; the `type` of the failure that Temporal records. Only
 * activities/failure.ts makes them, and the workflow branches on nothing else.
 */
export type AttemptFailureType =
  | 'NOT_DELIVERED'
  | 'NO_REPLY'
  | 'IN_PROGRESS'
  | 'STALE_TOKEN'
  | 'REFUSED'
  | 'EFFECT_ABSENT'
  | 'REPLY_INVALID'
  | 'AGENT_UNAVAILABLE'
  | 'NOTARY_UNAVAILABLE'
  | 'STORAGE_FULL'
  | 'ARTIFACT_MISSING'
  | 'ARTIFACT_CORRUPT'
  | 'PLAN_MISMATCH'
  | 'NOT_PERMITTED'
  /** Of the fast lane: nothing is wrong, and it would have to wait; a regular activity goes on. */
  | 'UNFINISHED'
  /** The door of the agent's pool was shut: nothing was asked or sent, and the attempt does not count. */
  | 'AGENT_BUSY'
  | 'CIRCUIT_OPEN'

/** Those that another attempt cannot mend: Temporal does not retry them. */
export const finalFailureTypes = [
  'ARTIFACT_MISSING',
  'ARTIFACT_CORRUPT',
  'PLAN_MISMATCH',
  'NOT_PERMITTED',
] as const satisfies readonly AttemptFailureType[]

/** Attempts that ended so have not been one. */
export const freeFailureTypes = [
  'AGENT_BUSY',
  'CIRCUIT_OPEN',
] as const satisfies readonly AttemptFailureType[]

export const stepOutcomes = [
  'pending',
  'running',
  // A person is asked first; nothing of it is at work, or was ever sent.
  'waiting',
  'settled',
  'already-settled',
  'denied',
  'unknown',
  'failed',
  'skipped',
] as const
export type StepOutcome = (typeof stepOutcomes)[number]

/**
 * `held`: nothing can go on until a person decides; the run itself is still open. `waiting-approval`:
 * nor until they approve or deny what they have been asked. `scheduled`: only what waits for its time,
 * and what builds on it, is still to come; the rest has its answer.
 */
export type RunStatus =
  | 'running'
  | 'waiting-approval'
  | 'held'
  | 'scheduled'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'denied'

export interface RequestInput {
  readonly requestId: string
  readonly requestRef: string
  /** Of a schedule: which, and when it was due (milliseconds since the epoch) in which zone. */
  readonly firing?: { readonly schedule: string; readonly at: number; readonly zone: string }
  /** Whether it may take the fast lane, if its worker lets it; absent in runs of before there was one. */
  readonly lane?: 'fast' | 'regular'
  /** It was asked for in words, and a planner proposes the plan. */
  readonly text?: true
  /** It asks a model for a plan of another request. */
  readonly consult?: ConsultInput
}

export const firingWorkflowType = 'firing'

/** What a schedule starts its workflow with. */
export interface FiringInput {
  readonly schedule: string
  /** The registered bytes and inputs, stored once when the schedule was enabled. */
  readonly requestRef: string
  readonly zone: string
  /** Name of the recipe, stored in clear. A plan file has none. */
  readonly recipe?: string
}

export interface FiringResult {
  /** Null where no schedule started the workflow. */
  readonly requestId: string | null
  /** `begun-before`: there was a run of this time already. */
  readonly status: RunStatus | 'begun-before'
  readonly code?: string
}

/** Where a producer's result lies: a reference into the artifact store, null when it has none. */
export interface SourceRef {
  readonly step: string
  readonly iteration: number
  readonly ref: string | null
}

export interface StepInput {
  readonly planRef: string
  readonly digest: string
  readonly requestId: string
  readonly step: string
  readonly iteration: number
  readonly kind: 'do' | 'undo'
  readonly sources: readonly SourceRef[]
  /** The last attempt settles the failure instead of throwing for another one. */
  readonly attempts: number
  /** Left out: the first. An undo takes back exactly this one. */
  readonly rerun?: number
  /** An earlier activity of this step was cut off and may have sent its command: only find out. */
  readonly drain?: boolean
  /** An attempt on the fast lane came to no outcome and may have sent its command. */
  readonly tried?: boolean
}

export interface StepResult {
  readonly outcome: Exclude<StepOutcome, 'pending' | 'running'>
  readonly code?: string
  readonly resultRef: string | null
  readonly attempts: number
  readonly durationMs: number
  /** Which rerun the notary answered for, where it is not the first. */
  readonly rerun?: number
  /** Absent: an activity of its own. */
  readonly lane?: 'fast'
  readonly approvals?: readonly OpenApproval[]
}

/** One iteration that failed, was denied, or of which nobody knows whether it happened. */
export interface FailedIteration {
  readonly iteration: number
  readonly outcome: StepOutcome
  readonly code?: string
}

/** What a loop's iterations have come to: how many, and the first few that did not go well. */
export interface Tally {
  readonly outcomes: Readonly<Partial<Record<StepOutcome, number>>>
  readonly failed: readonly FailedIteration[]
}

export interface LoopSummary extends Tally {
  /** Items of its list. */
  readonly total: number
  /** Of the undos, where the run turned around. */
  readonly undos?: Tally
  /** Names of the chunks that run a part of it now; each answers the same query with a `Tally`. */
  readonly chunks?: readonly string[]
}

export interface StepSummary {
  readonly id: string
  /** `agent.action` */
  readonly type: string
  readonly effect: string
  readonly outcome: StepOutcome
  readonly code?: string
  readonly attempts: number
  readonly durationMs: number
  /** Outcome of its undo, where the run aborted; of several reruns the worst. */
  readonly undo?: StepOutcome
  readonly undoCode?: string
  /** How often a person had it run again. */
  readonly rerun?: number
  /** It came to its outcome inside a workflow task. Absent: in an activity of its own. */
  readonly lane?: 'fast'
  /** How far its agent says that it is; only while it runs. */
  readonly progress?: StepProgress
  /** Of a loop, once its list is known. */
  readonly loop?: LoopSummary
  /** Not before this instant, milliseconds since the epoch. */
  readonly at?: number
  /** Of one that is `waiting`: for what. */
  readonly approvals?: readonly OpenApproval[]
}

export type CompileOutcome =
  | { readonly status: 'ADMITTED'; readonly skeleton: PlanSkeleton }
  /** A person decides on the plan first; the same call again, once they have. */
  | { readonly status: 'WAITING'; readonly approval: OpenApproval }
  | { readonly status: 'DENIED' | 'INVALID'; readonly code: string }

export interface RunState {
  readonly status: RunStatus
  readonly code?: string
  readonly steps: readonly StepSummary[]
  /** Of a run that is `scheduled`: the answer so far. */
  readonly answerRef?: string | null
  /** Of a run whose plan waits to be approved, before it has any step. */
  readonly approvals?: readonly OpenApproval[]
  /** Of one in words: the models that were asked for its plan, in order. */
  readonly consulted?: readonly ConsultedModel[]
}

export interface RunResult extends RunState {
  readonly answerRef: string | null
  /** It went well, changed nothing, and its answer is empty. */
  readonly nothingToReport?: true
}

export interface Composed {
  readonly answerRef: string
  /** Nothing of it can be seen. */
  readonly isEmpty?: true
}

/** A step of a wave: its type, `agent.action`, is compared with the plan's and names nothing else. */
export interface WaveMember {
  readonly type: string
  readonly input: StepInput
}

/**
 * null: came to no outcome, and its command may be out. `turned-away`: its agent's pool was full or
 * does not answer; nothing was asked or sent.
 */
export type WaveResult = StepResult | 'turned-away' | null

/** What one local activity runs, and what it carries on with when all before has settled. */
export interface AheadCall {
  /** The first begins at once. References to results of earlier waves are null, and filled in. */
  readonly waves: readonly (readonly WaveMember[])[]
  /** Where nothing else is to come: what the answer is composed of. */
  readonly answer?: AnswerInput
  /** After this time from the beginning of the call no further wave begins. */
  readonly beginWithinMs: number
  /** After this time what has come to no outcome is left. */
  readonly endWithinMs: number
}

export interface AheadResult {
  /** Of each wave that was begun. */
  readonly waves: readonly (readonly WaveResult[])[]
  readonly answer?: Composed
}

/** Steps that run inside one workflow task, as one local activity. */
export interface WaveActivities {
  /** Of runs of before there was `dispatchAhead`. In the order asked. */
  dispatchWave(members: readonly WaveMember[]): Promise<readonly WaveResult[]>
  dispatchAhead(call: AheadCall): Promise<AheadResult>
}

export interface AnswerInput {
  readonly requestId: string
  readonly planRef: string
  readonly sources: readonly SourceRef[]
}

/** The two activities with a name of their own. Every other type is `<agent>.<action>`. */
export interface NamedActivities {
  compilePlan(input: RequestInput): Promise<CompileOutcome>
  composeAnswer(input: AnswerInput): Promise<Composed>
}

/**
 * What a loop needs besides the steps. `input` is that of its iteration 0, with the sources of its
 * needs: a loop is one step to everything that builds on it.
 */
export interface LoopActivities {
  /** How many items the list has, as the notary found it; a result where the step ends there. */
  expandLoop(input: StepInput): Promise<{ readonly count: number } | StepResult>
  /** One artifact: the array of the iterations' results. Null, with LIMIT, where it grows too large. */
  gatherLoop(input: {
    readonly planRef: string
    readonly digest: string
    readonly requestId: string
    readonly step: string
  }): Promise<{ readonly resultRef: string | null; readonly code?: string }>
}
