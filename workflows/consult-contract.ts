// What crosses where models are asked for a plan: which, in which order, and what became of it. References,
// codes and the names of the configuration only. Types only, as in contract.ts.

/** One asking of one model, as a request and a run of its own (plan/consultation.ts). */
export interface ConsultInput {
  /** The request in words. */
  readonly of: string
  readonly round: 1 | 2
  /** Index into the configured models. */
  readonly model: number
  /** When the run began to ask: what the model is told, milliseconds since the epoch. */
  readonly at: number
  /** Of the second round: whose answer was wrong. */
  readonly after?: Answer
}

/** A run that came to a model's answer. */
export interface Answer {
  readonly requestId: string
  /** Of its step. */
  readonly rerun: number
}

/** A model to ask. */
export interface Candidate {
  readonly model: number
  /** `provider/model`, as configured. */
  readonly label: string
  readonly requestId: string
}

/** How far an agent says that it is. Absent unit: one of its own. */
export interface StepProgress {
  readonly done: number
  readonly total: number | null
  readonly unit?: 'characters'
}

/** One that was asked, is being asked, or was left out by the router. */
export interface ConsultedModel {
  readonly requestId: string
  readonly label: string
  /** `left-out`: the router found that it would be asked in vain, and there is no run of it. */
  readonly status: 'running' | 'answered' | 'failed' | 'left-out'
  /** Why it gave no answer. */
  readonly code?: string
  /** While it runs: how much of an answer has come (run-state.ts adds it). */
  readonly progress?: StepProgress
  /** While it runs: what a person is asked before the model is (run-state.ts adds it). */
  readonly approvals?: readonly { readonly id: string; readonly expiresAt: number }[]
}
