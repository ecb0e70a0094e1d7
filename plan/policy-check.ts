// What every policy must answer before it is put in force: a module that was built from something else,
// or with rules that allow what nobody may, is not taken up. Pure.

import type { Policy, StepQuestion } from './policy.ts'

const ordinary: StepQuestion = {
  agent: 'self-test',
  action: 'try',
  effect: 'write',
  audience: 'owner',
  egress: [],
  touches: [],
  hasUndo: true,
  kind: 'do',
  moment: 'plan',
}

/** Why the policy must not be put in force, or undefined. */
export function faultOfPolicy({ decide }: Policy): string | undefined {
  const verdict = (over: object) => decide({ ...ordinary, ...over })
  if (verdict({}).rules.includes('policy.broken')) return 'it breaks down'
  if (verdict({}).rules.includes('policy.settings')) return 'it has no settings'
  if (verdict({ effect: 'of no known class' }).verdict !== 'deny') {
    return 'it lets through effects of a class that nobody knows'
  }
  if (verdict({ effect: 'irreversible' }).verdict === 'allow') {
    return 'it lets through what cannot be undone, without a question'
  }
  if (verdict({ touches: ['money'] }).verdict !== 'deny') return 'it lets something move money'
  if (verdict({ kind: 'undo', hasUndo: false }).verdict !== 'allow') return 'it refuses undos'
  return undefined
}
