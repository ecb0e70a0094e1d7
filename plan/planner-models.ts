// `planner:` in `bulkhead.yaml`: the models that are asked for a plan where no recipe's phrases fit, in the
// order in which they are asked, and what one call may come to. Whether the agent of models takes these
// values, its manifest says (faultOfModel in consultation.ts). Pure.

import { z } from 'zod'

/** More are asked one after the other, and nobody waits for that. */
export const maxModels = 6

const plannerModelSchema = z.strictObject({
  /** As the agent of models calls it: `anthropic`, `openai`, `gemini`, `local`. */
  provider: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  model: z.string().min(1).max(100),
  /** The most that one call may cost, in millionths of a US dollar; 0 for a model of the house. */
  maxMicroUsd: z.number().int().min(0),
  /** What it may write, thoughts included. */
  maxOutputTokens: z.number().int().min(1).default(4_000),
})
export type PlannerModel = z.infer<typeof plannerModelSchema>

export const plannerModelsSchema = z.array(plannerModelSchema).min(1).max(maxModels)
export const plannerSchema = z.strictObject({ models: plannerModelsSchema })

/** Keys that may stand there, below `planner`. */
export function plannerKeysAt(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(path.length === 0 ? plannerSchema.shape : plannerModelSchema.shape)
}

/** What a person calls it. */
export function labelOf({ provider, model }: Pick<PlannerModel, 'provider' | 'model'>): string {
  return `${provider}/${model}`
}
