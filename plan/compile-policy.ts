// What the policy says of each step of a plan while it is compiled: a refusal is an issue, a question to
// a person is none. Asked again, with all that is known then, when a token is minted.

import type { CompileContext } from './compile.ts'
import type { Findings } from './findings.ts'
import type { ActionManifest } from './manifest.ts'
import { questionOf } from './policy.ts'
import type { WrittenStep } from './schema.ts'

/**
 * Asks of the step, and of its undo, which must not be refused on the day that it is needed. True when
 * a person is asked before the step happens.
 */
export function checkPolicy(
  step: WrittenStep,
  action: ActionManifest,
  path: string,
  { catalogue, decide, findings }: CompileContext & { readonly findings: Findings },
): boolean {
  const undoName = action.undo === 'none' ? undefined : action.undo.action
  const undo = undoName === undefined ? undefined : catalogue.get(step.agent)?.actions[undoName]
  const questions = [
    { name: step.action, declared: action, kind: 'do' as const },
    ...(undoName === undefined || undo === undefined
      ? []
      : [{ name: undoName, declared: undo, kind: 'undo' as const }]),
  ]
  let isAsked = false
  for (const { name, declared, kind } of questions) {
    const about = { agent: step.agent, action: name, kind, hasUndo: declared.undo !== 'none' }
    const decision = decide({ ...questionOf(declared, about), moment: 'plan' })
    if (decision.verdict === 'ask') isAsked = true
    if (decision.verdict !== 'deny') continue
    const asked = decision.rules.join(', ')
    const message = `no rule allows it (asked: ${asked}); missing: ${decision.missing}`
    findings.add({ code: 'POLICY', path, message })
  }
  return isAsked
}
