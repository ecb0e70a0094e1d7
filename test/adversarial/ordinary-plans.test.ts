// The twins of the attacker's plans, in the hand of somebody who wants their day run. Rules that refuse
// these are no use to anybody, however much harm they keep off. Prints how many pass, and which rule
// refused the others.

import { afterAll, describe, expect, it } from 'vitest'
import { attack, type Tally } from '../support/attacker-runner.ts'
import { printTable } from '../support/case-table.ts'
import { none, ordinary, seldom, type Wishes } from '../support/ordinary-plans.ts'

const plans = 4_000
const rows: (readonly string[])[] = []
afterAll(() => {
  const heads = ['plans', 'passed', 'refused by']
  printTable('ordinary plans', heads, rows)
})

function tallyOf(wishes: Wishes): Tally {
  const hand = ordinary(wishes)
  const tally = attack({ seed: 20_261_122, plans, stopAtFirst: false, proposals: 0, hand })
  const refused = Object.entries(tally.refusedBy).map(([code, count]) => `${code} ${count}`)
  rows.push([String(tally.plans), String(tally.admitted), refused.join(', ')])
  return tally
}

describe('plans of an ordinary day', () => {
  it('pass by nine in ten, though people also want what is refused', () => {
    const { admitted, acted, sound, faults } = tallyOf(seldom)
    expect(sound).toBe(plans)
    expect(faults).toEqual([])
    expect(admitted / plans).toBeGreaterThanOrEqual(0.9)
    expect(acted / plans).toBeGreaterThanOrEqual(0.6)
  })

  it('are refused without such a wish only where an own id is another agent’s doing', () => {
    const { admitted, refusedBy } = tallyOf(none)
    // A note with a stranger's words in it has an id that the stranger had a hand in.
    expect(Object.keys(refusedBy)).toEqual(['FLOW_R1'])
    expect(admitted / plans).toBeGreaterThanOrEqual(0.98)
  })
})
