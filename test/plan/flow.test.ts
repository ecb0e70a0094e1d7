// The flow rules by their cases: what is refused, who is blamed for it, and that the change which the
// refusal suggests is enough.

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { compilePlan } from '../../plan/compile.ts'
import { followPlan } from '../../plan/flow.ts'
import type { Issue } from '../../plan/issues.ts'
import { isTrusted } from '../../plan/labels.ts'
import { type KnownNames, nobody } from '../../plan/principals.ts'
import { attackedHouse as catalogue } from '../support/attacker-manifests.ts'
import { attacker } from '../support/attacker-plans.ts'
import { createRandom, drawPlan } from '../support/drawn-plans.ts'
import { type FlowCase, judgeCase } from '../support/flow-case.ts'
import { flowCases } from '../support/flow-cases.ts'

const refused = flowCases.filter(({ wanted }) => wanted !== 'ACCEPTED')
/** Issues, and questions that would not be asked after a change. */
const toldOf = (one: FlowCase): readonly Issue[] => Object.values(judgeCase(one)).flat()

describe('the flow rules', () => {
  it.each(flowCases)('come to $wanted for $name', (one) => {
    const { issues, questions } = judgeCase(one)
    const [first] = one.asked ? questions : issues
    expect(first?.code ?? 'ACCEPTED').toBe(one.wanted)
    expect(first?.source).toBe(one.source)
    expect(one.asked ? issues : questions).toEqual([])
  })

  it('know nothing that is both trusted and private, so that R4 alone keeps reads from telling', () => {
    const random = createRandom(36)
    let conditions = 0
    for (let drawn = 0; drawn < 500; drawn += 1) {
      const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
      const compiled = compilePlan(drawPlan(random, attacker), { inputs: {}, catalogue, decide })
      if (!compiled.ok) continue
      const { steps } = followPlan(compiled.plan, catalogue)
      const labels = [...steps.values()].flatMap((step) => {
        conditions += step.conditions.length
        return [...step.pieces, ...step.conditions].map(({ label }) => label)
      })
      // With the first of these, R4 would refuse effects that R3 lets pass.
      expect(labels.filter((one) => isTrusted(one) && one.readers !== 'PUBLIC')).toEqual([])
    }
    expect(conditions).toBeGreaterThan(50)
  })

  it.each(refused)('say what would be enough, which is: $wanted for $name', (one) => {
    let present = one
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const [issue] = toldOf(present)
      if (issue === undefined) return
      present = mended(present, issue)
    }
    expect(toldOf(present)).toEqual([])
  })
})

/** The case's plan, or its lists of names, as the fix of the issue says. */
function mended(one: FlowCase, { path, fix = '' }: Issue): FlowCase {
  const names = /bulkhead\.yaml: (people: .*)$/.exec(fix)?.[1]
  if (names !== undefined) {
    const { people } = parse(names.replace('<name>', 'somebody'))
    const known = one.names ?? nobody
    const added = Object.entries(people as KnownNames['people']).map(([name, values]) => [
      name,
      [...(known.people[name] ?? []), ...values],
    ])
    return {
      ...one,
      names: { ...known, people: { ...known.people, ...Object.fromEntries(added) } },
    }
  }
  const plan = structuredClone({ steps: one.steps, inputs: one.inputs })
  const tokens = path.slice(1).split('/')
  const last = tokens.pop() ?? ''
  const parent = tokens.reduce<unknown>((at, token) => Object(at)[token], plan)
  if (fix === `leave out ${last}`) delete Object(parent)[last]
  else if (/^(?:write the value|put something else) there/.test(fix)) {
    Object(parent)[last] = path.endsWith('/forEach/in') ? one.list : one.own
  } else throw new Error(`not a change that can be made: ${fix}`)
  return {
    ...one,
    steps: plan.steps,
    ...(plan.inputs === undefined ? {} : { inputs: plan.inputs }),
  }
}
