// Every code of the notary has a check that the two guard tables take away; a new code fails here until
// it has one too.

import { expect, it } from 'vitest'
import { notaryCodes } from '../../notary/codes.ts'
import { guards as authorise } from '../support/notary-guards-authorise.ts'
import { guards as decisions } from '../support/notary-guards-decisions.ts'

const guarded = new Set<string>([...authorise, ...decisions].map(({ code }) => code))

it('every code that the notary refuses with has a check that a case misses', () => {
  expect(notaryCodes.filter((code) => !guarded.has(code))).toEqual([])
})

it('no check is taken away twice', () => {
  const removals = [...authorise, ...decisions].map((guard) => JSON.stringify(guard))
  expect(removals.filter((removal, at) => removals.indexOf(removal) !== at)).toEqual([])
})
