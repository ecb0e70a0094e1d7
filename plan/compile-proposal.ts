// From what a planner proposes for a person's words to the plan that a run is held to, or to every reason
// why not. The planner is trusted with nothing: its literals are the person's only where they said them,
// and what it calls the goal is not taken up, since a person decides on cards that show one. Pure, and the
// same in the worker and the notary, whose word counts.

import { digestOf } from '../security/verify/hash.ts'
import { type CompileContext, type CompileResult, compileWritten } from './compile.ts'
import { holdsSecret } from './flow-secrets.ts'
import type { Issue } from './issues.ts'
import { limits } from './limits.ts'
import { parseProposal } from './parse.ts'
import type { CompiledPlan, InputValues } from './schema.ts'

/** Characters of a goal: as many as a plan file may give. */
const maxGoal = 500

export interface Proposed {
  /** JSON text of a plan without inputs. */
  readonly proposal: string
  /** What the person said, as it was registered. */
  readonly words: string
}

/** What can be registered, or why not. */
export type Registrable =
  | { readonly ok: true; readonly plan: CompiledPlan; readonly digest: string }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/** Never throws on any proposal. */
export function compileProposal(
  { proposal, words }: Proposed,
  context: Omit<CompileContext, 'inputs'>,
): CompileResult {
  const parsed = parseProposal(proposal)
  if (!parsed.ok) return parsed
  const plan = { ...parsed.plan, goal: goalOf(words) }
  return compileWritten(plan, { ...context, inputs: {}, authorship: { author: 'proposal', words } })
}

/**
 * Of words for which nothing is proposed yet: a plan without steps stands in the place of theirs, or why
 * they cannot be registered.
 */
export function awaitProposal(words: string, inputs: InputValues): Registrable {
  const issues = faultsOf(words, inputs)
  if (issues.length > 0) return { ok: false, issues }
  const plan: CompiledPlan = {
    ...{ version: 1, goal: goalOf(words), inputs: {}, steps: [] },
    answer: { from: [] },
  }
  return { ok: true, plan, digest: digestOf(plan) }
}

function faultsOf(words: string, inputs: InputValues): readonly Issue[] {
  const fault = (code: Issue['code'], message: string): Issue => ({ code, path: '', message })
  if (words.length > limits.wordsCharacters) {
    return [fault('LIMIT', `more than ${limits.wordsCharacters} characters were asked`)]
  }
  if (!words.isWellFormed() || goalOf(words) === '') {
    return [fault('INVALID_SHAPE', 'nothing was asked that can be read')]
  }
  if (Object.keys(inputs).length > 0) return [fault('INVALID_ARGUMENT', 'words take no inputs')]
  // They are kept, and shown to whoever decides.
  if (holdsSecret(words)) return [fault('FLOW_R11', 'a secret has no place in what is asked')]
  return []
}

/** The person's own words, as one line. */
export function goalOf(words: string, most = maxGoal): string {
  const line = words
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line
}
