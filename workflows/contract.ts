// What crosses between the workflow, its activities and the client. Ids, digests, references and
// labels only: whatever is written here is stored in Temporal's history. Types only, so that the
// workflow bundle stays free of zod and of Node.

import type { PlanSkeleton } from '../plan/schema.ts'

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

/** As the notary answered: what runs again, and as which rerun. */
export interface RetryInput {
  readonly step: string
  readonly reruns: readonly { readonly step: string; readonly rerun: number }[]
}

export interface ResolveInput {
  readonly step: string
  readonly happened: boolean
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

/** Those that another attempt cannot mend: Temporal does not retry them. */
export const finalFailureTypes = [
  'ARTIFACT_MISSING',
  'ARTIFACT_CORRUPT',
  'PLAN_MISMATCH',
  'NOT_PERMITTED',
] as const satisfies readonly AttemptFailureType[]

export type StepOutcome =
  | 'pending'
  | 'running'
  | 'settled'
  | 'already-settled'
  | 'denied'
  | 'unknown'
  | 'failed'
  | 'skipped'

/** `held`: nothing can go on until a person decides; the run itself is still open. */
export type RunStatus = 'running' | 'held' | 'completed' | 'failed' | 'cancelled' | 'denied'

export interface RequestInput {
  readonly requestId: string
  readonly requestRef: string
  /** Of a schedule: which, and when it was due (milliseconds since the epoch) in which zone. */
  readonly firing?: { readonly schedule: string; readonly at: number; readonly zone: string }
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
}

export interface StepResult {
  readonly outcome: Exclude<StepOutcome, 'pending' | 'running'>
  readonly code?: string
  readonly resultRef: string | null
  readonly attempts: number
  readonly durationMs: number
  /** Which rerun the notary answered for, where it is not the first. */
  readonly rerun?: number
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
  /** How far its agent says that it is; only while it runs. */
  readonly progress?: { readonly done: number; readonly total: number | null }
}

export type CompileOutcome =
  | { readonly status: 'ADMITTED'; readonly skeleton: PlanSkeleton }
  | { readonly status: 'DENIED' | 'INVALID'; readonly code: string }

export interface RunState {
  readonly status: RunStatus
  readonly code?: string
  readonly steps: readonly StepSummary[]
}

export interface RunResult extends RunState {
  readonly answerRef: string | null
}

/** The two activities with a name of their own. Every other type is `<agent>.<action>`. */
export interface NamedActivities {
  compilePlan(input: RequestInput): Promise<CompileOutcome>
  composeAnswer(input: {
    readonly requestId: string
    readonly planRef: string
    readonly sources: readonly SourceRef[]
  }): Promise<{ readonly answerRef: string }>
}
