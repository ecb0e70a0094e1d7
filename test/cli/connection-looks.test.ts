// What `agents connect` asks of agents: of each agent something or, written down here, nothing; looks only,
// which ask nobody and say something.

import { expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { planOf } from '../../cli/commands/connection-attempt.ts'
import { connectionLooks } from '../../cli/connection-looks.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'

/** Agents of whose settings nothing can be found out by a look. */
const without: readonly string[] = ['memory', 'model']

const looks = Object.entries(connectionLooks).flatMap(([agent, all]) =>
  all.map((look) => ({ agent, action: look.action, look })),
)

test.each(looks)(
  '$agent.$action is a look, fits the action, and asks nobody',
  ({ agent, action, look }) => {
    const source = planOf(agent, look)
    const result = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
    expect(result.ok ? [] : result.issues).toEqual([])
    if (!result.ok) return
    expect(['read', 'egress']).toContain(catalogue.get(agent)?.actions[action]?.effect)
    expect(result.report.approvals).toEqual([])
  },
)

test('no agent is forgotten', () => {
  const known = [...Object.keys(connectionLooks), ...without]
  expect(new Set(known)).toEqual(new Set([...catalogue.keys(), ...without]))
})
