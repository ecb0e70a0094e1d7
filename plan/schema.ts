// The shapes of a plan: as written (by a person, a recipe or a model) and as compiled. The written
// shape is what `plan/parse.ts` proves of unknown input; the compiled one is what `plan/compile.ts`
// returns, what the notary digests and what a run is held to. Pure types and zod.

import { z } from 'zod'
import type { Effect, UndoArgument } from './effect.ts'
import type { Pins } from './handle.ts'
import type { Issue } from './issues.ts'
import type { SuggestedSchedule } from './suggested-schedule.ts'

export { requestIdPattern, stepIdPattern } from './ids.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/**
 * An argument is a literal in which any value may be one of these forms. An object with a key that
 * starts with `$` is a form and nothing else; an unknown `$` key is refused.
 */
export type Argument =
  | null
  | boolean
  | number
  | string
  | FromForm
  | ItemForm
  | InputForm
  | HandleForm
  | TextForm
  | readonly Argument[]
  | { readonly [key: string]: Argument }
/** `"step#/pointer"`: a part of another step's result; null when that step was skipped. */
export interface FromForm {
  readonly $from: string
}
/** A part of the item that this iteration of the step's own `forEach` is for; `""` is all of it. */
export interface ItemForm {
  readonly $item: string
  /** The name that the step's `forEach` gives its items. */
  readonly as: string
}
/** A declared input of the recipe or plan. */
export interface InputForm {
  readonly $input: string
}
/** A part of an earlier result of the same person; `""` is all of it. */
export interface HandleForm {
  /** `<request>/<step>/<iteration>` */
  readonly $handle: string
  readonly pointer: string
}
/** Mustache variables and sections over `with`; see plan/text.ts for what is refused. */
export interface TextForm {
  readonly $text: string
  readonly with: Readonly<Record<string, Argument>>
}

export interface Guard {
  readonly cel: string
  readonly with: Readonly<Record<string, Argument>>
}

/** `hold`: the run waits for a person, who tries again, answers what is unknown, or gives up. */
export type OnError = 'abort' | 'continue' | 'hold'

/** Once for each item of a list. References to the step get the list of what its iterations returned. */
export interface ForEach {
  /** What gives the list: a reference, as a rule. */
  readonly in: Argument
  /** What `$item` calls one of its items. */
  readonly as: string
  /** More items than this end the step with LIMIT, before any of them is acted on. */
  readonly max: number
}

/**
 * Not before this time: `HH:MM[:SS]`, the next one at or after the time that the run was asked for (or
 * was due), or `YYYY-MM-DDTHH:MM[:SS]`.
 */
export interface StartTime {
  readonly local: string
  /** IANA name; without one the zone of the configuration. */
  readonly zone?: string
}

/** `any`: begins once one of its needs has settled; references to the others may then be null. */
export type Join = 'all' | 'any'

export interface WrittenStep {
  readonly id: string
  readonly agent: string
  readonly action: string
  readonly args?: Readonly<Record<string, Argument>>
  readonly needs?: readonly string[]
  readonly when?: Guard
  readonly forEach?: ForEach
  readonly join?: Join
  readonly at?: StartTime
  readonly onError?: OnError
  readonly timeoutMs?: number
  readonly attempts?: number
  readonly undo?: { readonly action: string; readonly args: Readonly<Record<string, UndoArgument>> }
}

export interface PlanAnswer {
  /** Steps whose results the answer may use. */
  readonly from: readonly string[]
  /** Mustache over `{ <step id with - as _>: result }`; without it the results are listed. */
  readonly template?: string
}

export interface InputDeclaration {
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  /** Absent: it has to be given. Null: it need not be, and what is this input is then left out. */
  readonly default?: string | number | boolean | null
}

export interface WrittenPlan {
  readonly version: 1
  readonly goal: string
  readonly inputs?: Readonly<Record<string, InputDeclaration>>
  readonly steps: readonly WrittenStep[]
  readonly answer: PlanAnswer
}

/** A recipe file: a plan with a name, phrases that ask for it, and inputs. */
export interface Recipe {
  readonly name: string
  readonly title: string
  readonly phrases: readonly string[]
  readonly inputs: Readonly<Record<string, InputDeclaration>>
  /** When most people would have it run; a person enables it, or does not. */
  readonly schedule?: SuggestedSchedule
  readonly plan: Omit<WrittenPlan, 'inputs'>
}

export type InputValues = Readonly<Record<string, string | number | boolean>>

export interface CompiledStep {
  readonly id: string
  readonly agent: string
  readonly action: string
  readonly effect: Effect
  readonly args: Readonly<Record<string, Argument>>
  /** Declared needs and those implied by references, in the order of the plan. */
  readonly needs: readonly string[]
  readonly join: Join
  readonly when: Guard | null
  /** Absent, not null: plans from before loops keep the digest that they were admitted with. */
  readonly forEach?: ForEach
  readonly at?: StartTime
  readonly onError: OnError
  readonly timeoutMs: number
  readonly attempts: number
  readonly undo: {
    readonly action: string
    readonly args: Readonly<Record<string, UndoArgument>>
  } | null
}

/**
 * The plan a run is held to. `inputs` carries the values, so that the digest covers them:
 * digest = base64url SHA-256 of the RFC 8785 form of this object.
 */
export interface CompiledPlan {
  readonly version: 1
  readonly goal: string
  readonly inputs: InputValues
  readonly steps: readonly CompiledStep[]
  readonly answer: PlanAnswer
  /** Earlier results that it builds on, by name. Absent where there are none. */
  readonly handles?: Pins
}

export interface CompileReport {
  /** Steps that may run side by side, level by level. */
  readonly levels: readonly (readonly string[])[]
  readonly agents: readonly string[]
  readonly effects: readonly {
    readonly step: string
    readonly effect: Effect
    readonly undo: boolean
  }[]
  /** What leaves the house, and to whom. */
  readonly leaves: readonly { readonly step: string; readonly audience: string }[]
  /** Steps that need a person's approval. */
  readonly approvals: readonly string[]
  /** Of these, what agents decide on (R3, R6), and the change that would make the question needless. */
  readonly questions: readonly (Issue & { readonly step: string })[]
  readonly estimateMs: { readonly p50: number; readonly p95: number }
  readonly risk: Effect
}

/** All that the workflow sees of a plan: no argument, no literal, no content. */
export interface SkeletonStep {
  readonly id: string
  /** `agent.action`, the activity's type in the Web UI. */
  readonly type: string
  readonly effect: Effect
  readonly needs: readonly string[]
  readonly join: Join
  /** Most iterations of a loop; absent: the step is none. */
  readonly forEachMax?: number
  /** Not before this instant, milliseconds since the epoch; the notary has decided it. */
  readonly at?: number
  readonly onError: OnError
  readonly hasWhen: boolean
  readonly hasUndo: boolean
  readonly timeoutMs: number
  readonly attempts: number
  readonly lane: 'fast' | 'regular'
}

export interface PlanSkeleton {
  readonly planRef: string
  readonly digest: string
  readonly steps: readonly SkeletonStep[]
  /** One local activity may carry on from wave to wave; absent in runs of before it did. */
  readonly ahead?: true
}

export const priorities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
export const prioritySchema = z.enum(priorities)
export type Priority = z.infer<typeof prioritySchema>
