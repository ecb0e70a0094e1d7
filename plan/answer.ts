// The text a person gets: the plan's template over the results it names, or those results as JSON.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { PlanAnswer } from './schema.ts'
import { renderText } from './text.ts'

/** The name a step's result has in the template: `-` is not a name character of CEL or Mustache. */
export function answerName(step: string): string {
  return step.replaceAll('-', '_')
}

/** @throws TextError when the text is too long */
export function renderAnswer(answer: PlanAnswer, resultOf: (step: string) => JsonValue): string {
  const results = answer.from.map((step) => [step, resultOf(step)] as const)
  if (answer.template === undefined) {
    return results.map(([step, result]) => `${step}: ${JSON.stringify(result)}`).join('\n')
  }
  const view = Object.fromEntries(results.map(([step, result]) => [answerName(step), result]))
  return renderText(answer.template, view)
}
