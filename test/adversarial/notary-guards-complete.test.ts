// Every code of the notary has a check that one of the guard tables takes away; a new code fails here until
// it has one too.

import { expect, it } from 'vitest'
import { notaryCodes } from '../../notary/codes.ts'
import { guards as approvals } from '../support/notary-guards-approvals.ts'
import { guards as authorise } from '../support/notary-guards-authorise.ts'
import { guards as consultations } from '../support/notary-guards-consultations.ts'
import { guards as decisions } from '../support/notary-guards-decisions.ts'
import { guards as handles } from '../support/notary-guards-handles.ts'
import { guards as limits } from '../support/notary-guards-limits.ts'
import { guards as loops } from '../support/notary-guards-loops.ts'
import { guards as people } from '../support/notary-guards-people.ts'
import { guards as proposals } from '../support/notary-guards-proposals.ts'

const all = [
  approvals,
  authorise,
  consultations,
  decisions,
  handles,
  limits,
  loops,
  people,
  proposals,
].flat()
const guarded = new Set<string>(all.map(({ code }) => code))

it('every code that the notary refuses with has a check that a case misses', () => {
  expect(notaryCodes.filter((code) => !guarded.has(code))).toEqual([])
})

it('no check is taken away twice', () => {
  const removals = all.map((guard) => JSON.stringify(guard))
  expect(removals.filter((removal, at) => removals.indexOf(removal) !== at)).toEqual([])
})
