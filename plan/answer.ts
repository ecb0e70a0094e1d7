// The text a person gets: the plan's template over the results it names, or those results as JSON.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import { limits } from './limits.ts'
import type { PlanAnswer } from './schema.ts'
import { renderText, TextError, withoutControls } from './text.ts'

/** The name a step's result has in the template: `-` is not a name character of CEL or Mustache. */
export function answerName(step: string): string {
  return step.replaceAll('-', '_')
}

/** @throws TextError when the text is too long */
export function renderAnswer(answer: PlanAnswer, resultOf: (step: string) => JsonValue): string {
  const results = answer.from.map((step) => [step, resultOf(step)] as const)
  if (answer.template === undefined) {
    return listResults(results)
  }
  const view = Object.fromEntries(results.map(([step, result]) => [answerName(step), result]))
  return renderText(answer.template, view)
}

/** Each result is bounded, all of them are not: a plan may name a thousand. */
function listResults(results: readonly (readonly [string, JsonValue])[]): string {
  const lines: string[] = []
  let bytes = 0
  for (const [step, result] of results) {
    const line = withoutControls(`${step}: ${JSON.stringify(result)}`)
    bytes += Buffer.byteLength(line) + 1
    if (bytes > limits.sourceBytes) throw new TextError('the results are longer than 1.5 MiB')
    lines.push(line)
  }
  return lines.join('\n')
}
