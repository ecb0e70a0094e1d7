// Whether words were understood at all: what is theirs to ask again about, and what another planner may have.
// Pure.

import type { Planned } from './contract.ts'

/**
 * At most recipes are known that sound alike. A question without options is none of these: a recipe fits, and
 * something in the words is missing or is not there.
 */
export function fitsNoRecipe(planned: Planned): boolean {
  switch (planned.kind) {
    case 'refusal':
      return planned.reason === 'NOT_UNDERSTOOD'
    case 'question':
      return planned.options.length > 0 && planned.options.every(({ is }) => is === 'like')
    case 'recipe':
    case 'plan':
      return false
  }
}
