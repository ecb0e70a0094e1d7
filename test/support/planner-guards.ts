// The checks behind what a planner is told, each with what stands in its place when it is gone.

import { type Guard, gone } from './one-check-less.ts'

const propose = 'planner/propose.ts'

export const guards: readonly Guard<'R7' | 'R8'>[] = [
  gone(
    'R8',
    propose,
    'plannerInputSchema = z.strictObject({',
    'plannerInputSchema = z.looseObject({',
  ),
  gone('R8', propose, '.strictObject({\n      proposal:', '.looseObject({\n      proposal:'),
  gone('R8', propose, 'const action = z.strictObject({', 'const action = z.looseObject({'),
  gone(
    'R8',
    propose,
    'if (!given.success) throw new PlannerError()\n  return readProposed(await planner(given.data))',
    'return readProposed(await planner(input))',
  ),
  gone('R7', propose, '.array(z.strictObject({ code:', '.array(z.looseObject({ code:'),
  gone('R7', propose, 'code: z.enum(issueCodes),', 'code: z.string() as never,'),
  gone('R7', propose, 'path: z.string().max(maxPath) }', 'path: z.string() }'),
  gone(
    'R7',
    'activities/propose-plan.ts',
    'compiled.issues.map(({ code, path }) => ({ code, path }))',
    'compiled.issues',
  ),
]
