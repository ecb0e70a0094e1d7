// Differential non-interference (design: security, section 13): random plans, each run twice, with one agent
// replaced by two different attackers: breaking their schema, huge, slow, silent, lying, forging, flooding,
// with payloads of our own writing in every field. What the other agents are asked to do may differ only in
// content that the plan makes of what the attacker said. The compiler, the notary, the interpreter and the
// dispatcher are the real ones; in between, an attacker says what it likes. Which step came first, that a
// run ended early, and that a step could not use what it was given are open channels, as SECURITY says.

import { afterAll, describe, expect, it } from 'vitest'
import { builtWithout } from '../support/built-without.ts'
import { printTable } from '../support/case-table.ts'
import { styleNames } from '../support/interference-attackers.ts'
import { campaign } from '../support/interference-runner.ts'
import { gone } from '../support/one-check-less.ts'

const minutes = 60_000
const seed = 20_261_121
const rules = 'plan/flow-rules.ts'
const flow = 'plan/flow.ts'
/** One check of who decides what is done, and one of who decides that it is; the rest attacker-plans has. */
const removals = [
  gone(
    'R1',
    rules,
    'if ((decides || inRequest) && !isTrusted(piece.label))',
    'if (inRequest && !isTrusted(piece.label))',
  ),
  gone('R3', flow, 'if (step.when !== null)'),
]

const build = builtWithout<{ campaign: typeof campaign }>('test/support/interference-runner.ts')
const rows: (readonly string[])[] = []
afterAll(() => {
  printTable('plans run twice', ['removed', 'pairs', 'what happened'], rows)
})

describe('two attackers in the place of one agent', () => {
  it(
    'change nothing of what others do but content that the plan makes of their words',
    async () => {
      const tally = await campaign({ seed, plans: 2_600, stopAtFirst: false })
      const { pairs, completed, same, differed } = tally
      const told = `${completed} completed, ${same} effects the same, ${differed} along the plan`
      rows.push(['nothing', String(pairs), told])
      expect(tally.faults).toEqual([])
      expect(pairs).toBeGreaterThanOrEqual(1_000)
      expect(completed / pairs).toBeGreaterThan(0.4)
      // The comparison had something to compare, and the attackers something to say.
      expect(same).toBeGreaterThan(pairs)
      expect(differed).toBeGreaterThan(100)
      expect(new Set(Object.keys(tally.styles))).toEqual(new Set(styleNames))
    },
    15 * minutes,
  )

  it.each(removals)(
    'change more than that without $code: $check -> $instead',
    async ({ code, ...guard }) => {
      const built = await build(guard)
      const tally = await built.campaign({ seed, plans: 2_600, stopAtFirst: true })
      rows.push([`${code} in ${guard.file}`, String(tally.pairs), tally.faults[0]?.fault ?? ''])
      expect(tally.faults).not.toEqual([])
    },
    15 * minutes,
  )
})
