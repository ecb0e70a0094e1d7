// Every knot of a plan is told of, beside whatever else is wrong with it.

import { describe, expect, it } from 'vitest'
import { findCycles } from '../../plan/graph.ts'
import { look, messages, planOf, refusals } from './house.ts'

const waiting = (needs: Readonly<Record<string, readonly string[]>>) =>
  planOf(Object.entries(needs).map(([id, all]) => look(id, { needs: all })))

describe('cycles', () => {
  it('are each told of', () => {
    const plan = waiting({ a: ['b'], b: ['a'], c: ['d'], d: ['c'], e: ['a', 'e'] })
    expect(refusals(plan)).toEqual([
      'CYCLE /steps/0/needs',
      'CYCLE /steps/2/needs',
      'CYCLE /steps/4/needs',
    ])
  })

  it('are told of beside other issues, and are not hidden by them', () => {
    const plan = planOf([
      look('a', { needs: ['b', 'nobody'] }),
      look('b', { needs: ['a'], args: { limit: 'x' } }),
      look('c', { action: 'pay' }),
    ])
    expect(refusals(plan)).toEqual([
      'UNKNOWN_REFERENCE /steps/0/needs/1',
      'INVALID_ARGUMENT /steps/1/args/limit',
      'POLICY /steps/2',
      'CYCLE /steps/0/needs',
    ])
  })

  it('name their steps, and not those that only wait for them', () => {
    const told = messages(waiting({ x: ['a'], a: ['b'], b: ['c'], c: ['a'], y: ['x'] }))
    for (const id of ['a', 'b', 'c']) expect(told).toContain(`${id} -> `)
    expect(told).not.toMatch(/\b[xy]\b/)
  })

  it('are found through references in arguments and guards', () => {
    const plan = planOf([
      look('a', { args: { either: { $from: 'b#/title' } } }),
      look('b', { when: { cel: 't == "x"', with: { t: { $from: 'a#/title' } } } }),
    ])
    expect(refusals(plan)).toContain('CYCLE /steps/0/needs')
  })

  it('are looked for no further than asked', () => {
    const loops = Array.from({ length: 50 }, (_, n) => ({ id: `s${n}`, needs: [`s${n}`] }))
    expect(findCycles(loops, 7)).toHaveLength(7)
  })
})
