// An input whose default is null need not be given: what is this input is then left out of the plan, and
// nothing else of the plan changes.

import { describe, expect, it } from 'vitest'
import { parseSource } from '../../plan/parse.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { compiled, look, planOf, refusals, write } from './house.ts'

const inputs = {
  day: { type: 'date', default: null },
  who: { type: 'string', default: null },
  limit: { type: 'integer', default: 5 },
}
const day = { $input: 'day' }
const who = { $input: 'who' }
const argsOf = (args: Record<string, unknown>, given = {}) =>
  compiled(planOf([look('a', { args })], { inputs }), { inputs: given }).steps[0]?.args

describe('an input with null for its default', () => {
  it('is left out of the arguments where it is not given, and is in them where it is', () => {
    expect(argsOf({ day, limit: { $input: 'limit' } })).toEqual({ limit: { $input: 'limit' } })
    const given = { day: '2026-11-24' }
    expect(argsOf({ day }, given)).toEqual({ day })
    const plan = planOf([look('a', { args: { day } })], { inputs })
    expect(compiled(plan, { inputs: given }).inputs).toEqual({ ...given, limit: 5 })
    expect(compiled(plan).inputs).toEqual({ limit: 5 })
  })

  it('leaves a plan with the digest of the one in which the argument was never written', () => {
    const without = compiled(planOf([look('a', { args: { limit: 3 } })], { inputs }))
    const absent = compiled(planOf([look('a', { args: { limit: 3, day } })], { inputs }))
    expect(digestOf(absent)).toBe(digestOf(without))
  })

  it('is null in a text and in a guard, where names have to be there', () => {
    const plan = planOf(
      [
        look('a', { when: { cel: 'who == null', with: { who } } }),
        write('b', { text: { $text: 'For{{#who}} {{who}}{{/who}}', with: { who } } }),
      ],
      { inputs },
    )
    const [guarded, told] = compiled(plan).steps
    expect(guarded?.when?.with).toEqual({ who: null })
    expect(told?.args).toEqual({
      text: { $text: 'For{{#who}} {{who}}{{/who}}', with: { who: null } },
    })
  })

  it('is missed where the argument is needed, and where it is one of a list', () => {
    const needed = planOf([write('b', { text: who })], { inputs })
    expect(refusals(needed)).toEqual(['INVALID_ARGUMENT /steps/0/args'])
    const listed = planOf([look('a', { args: { tags: ['x', who] } })], { inputs })
    expect(refusals(listed)).toEqual(['INVALID_ARGUMENT /steps/0/args/tags/1'])
    const part = planOf([look('a', { args: { range: { from: who, to: 'x' } } })], { inputs })
    expect(refusals(part)).toEqual(['INVALID_ARGUMENT /steps/0/args/range/from'])
  })

  it('is refused where null itself is given, and where what is given does not fit', () => {
    const plan = planOf([look('a', { args: { day } })], { inputs })
    for (const value of [null, 'tomorrow']) {
      const given = { day: value } as unknown as Record<string, string>
      expect(refusals(plan, { inputs: given })).toEqual(['INVALID_ARGUMENT /inputs/day'])
    }
  })

  it('is read from a file as null alone, not as nothing at all', () => {
    const recipe = (input: string) =>
      parseSource(
        'recipe',
        `name: r\ntitle: t\nphrases: []\ninputs: { when: ${input} }\nplan: { version: 1, goal: g, steps: [{ id: a, agent: desk, action: look }], answer: { from: [] } }\n`,
      )
    const declared = (input: string) => {
      const parsed = recipe(input)
      return parsed.ok ? parsed.recipe?.inputs['when'] : undefined
    }
    expect(declared('{ type: date, default: null }')).toEqual({ type: 'date', default: null })
    expect(declared('{ type: date }')).toEqual({ type: 'date' })
    expect(recipe('{ type: date, default: [] }').ok).toBe(false)
  })
})
