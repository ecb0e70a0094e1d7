// Ten thousand plans of an attacker, one in five of them as a model's proposal, judged by the flow rules and
// run where they pass, but for what a person is asked, each agent in turn taken over: nobody's effects may be decided by it, no outsider
// may see what the owner alone may know, no secret may be in what a step is given, and no proposal may
// name whom the user never named. Then the same with one rule, or one step of a label, removed from what
// is built: something must happen that may not. The oracle compares runs and shares nothing with the labels.
//
// R7 and R8 come with the planner. R10 is what holds of results without a label.

import { afterAll, describe, expect, it } from 'vitest'
import { attack } from '../support/attacker-runner.ts'
import { builtWithout } from '../support/built-without.ts'
import { printTable } from '../support/case-table.ts'
import { guards, unlabelled } from '../support/flow-guards.ts'

const seed = 20_261_121
const plans = 10_000
const removals = guards.map((guard) => ({
  ...guard,
  rule: unlabelled.includes(guard) ? 'R10' : guard.code.replace('FLOW_', ''),
}))

const build = builtWithout<{ attack: typeof attack }>('test/support/attacker-runner.ts')
const rows: (readonly string[])[] = []
afterAll(() => {
  const heads = ['rule', 'removed from', 'plans until then', 'what happened']
  printTable('attacker plans, each check removed alone', heads, rows)
})

describe('plans of an attacker', () => {
  it('are let through in good part, and nothing happens that may not', () => {
    const tally = attack({ seed, plans, stopAtFirst: false })
    const { admitted, acted, refusedBy, askedBy } = tally
    const asked = Object.entries(askedBy).map(([code, count]) => `${count} asked by ${code}`)
    const told = [`${admitted} admitted`, ...asked, `${acted} acted`].join(', ')
    rows.push(['none', '', String(tally.plans), told])
    expect(tally.faults).toEqual([])
    expect(tally.sound).toBe(plans)
    expect(acted / tally.plans).toBeGreaterThanOrEqual(0.3)
    // All rules had something to refuse, or to ask.
    const rules = ['R1', 'R2', 'R4', 'R5', 'R11'].map((rule) => `FLOW_${rule}`)
    expect(new Set(Object.keys(refusedBy))).toEqual(new Set(rules))
    expect(new Set(Object.keys(askedBy))).toEqual(new Set(['FLOW_R3', 'FLOW_R6', 'FLOW_R9']))
  })

  it('lose every rule in turn', () => {
    const rules = new Set(removals.map(({ rule }) => rule))
    const wanted = ['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R9', 'R10', 'R11']
    expect(rules).toEqual(new Set(wanted))
  })

  it.each(removals)('do harm without $rule: $check -> $instead', async ({ rule, ...guard }) => {
    const built = await build(guard)
    const tally = built.attack({ seed, plans, stopAtFirst: true })
    expect(tally.faults).toHaveLength(1)
    rows.push([rule, guard.file, String(tally.plans), tally.faults[0]?.fault ?? ''])
  })
})
