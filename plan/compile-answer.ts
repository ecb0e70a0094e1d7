// The answer's references and template, checked like any other text.

import { answerName } from './answer.ts'
import type { StepScope } from './compile-arguments.ts'
import type { Findings } from './findings.ts'
import type { WrittenPlan } from './schema.ts'
import { namesOf, parseText, TextError } from './text.ts'

export function checkAnswer(plan: WrittenPlan, scope: StepScope, findings: Findings): void {
  for (const [index, step] of plan.answer.from.entries()) {
    if (scope.written.has(step)) continue
    const path = `/answer/from/${index}`
    const message = `there is no step ${step}`
    const known = scope.written.keys()
    findings.add({ code: 'UNKNOWN_REFERENCE', path, message }, { name: step, known })
    if (findings.full) return
  }
  if (plan.answer.template === undefined) return
  const path = '/answer/template'
  try {
    const known = new Set(plan.answer.from.map(answerName))
    for (const name of namesOf(parseText(plan.answer.template))) {
      if (known.has(name)) continue
      const message = `the template uses ${name}, which is not a step of answer.from`
      findings.add({ code: 'UNKNOWN_REFERENCE', path, message }, { name, known })
    }
  } catch (error) {
    if (!(error instanceof TextError)) throw error
    findings.add({ code: 'INVALID_ARGUMENT', path, message: error.message })
  }
}
