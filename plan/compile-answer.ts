// The answer's references and template, checked like any other text.

import { answerName } from './answer.ts'
import { checkTemplate, typeOfProduct } from './argument-types.ts'
import type { StepScope } from './compile-arguments.ts'
import type { Findings } from './findings.ts'
import { type JsonSchema, toJsonSchema } from './json-schema.ts'
import type { WrittenPlan } from './schema.ts'

export function checkAnswer(plan: WrittenPlan, scope: StepScope, findings: Findings): void {
  const types = new Map<string, JsonSchema>()
  for (const [index, id] of plan.answer.from.entries()) {
    const step = scope.written.get(id)
    const action = scope.actions.get(id)
    // Of an unknown action nothing can be said, and it has been reported.
    const output = action === undefined ? {} : toJsonSchema(action.output, 'output')
    types.set(answerName(id), step === undefined ? {} : typeOfProduct(output, step))
    if (step !== undefined) continue
    const path = `/answer/from/${index}`
    const message = `there is no step ${id}`
    const known = scope.written.keys()
    findings.add({ code: 'UNKNOWN_REFERENCE', path, message }, { name: id, known })
    if (findings.full) return
  }
  if (plan.answer.template === undefined) return
  checkTemplate(plan.answer.template, types, '/answer/template', findings)
}
