// What a decision of the policy costs with ten rules of the household's own and with a thousand, as they
// are compiled by OPA: names under `policy:` of bulkhead.yaml, and rules in Rego with a key each.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Policy, type StepQuestion, toPolicy } from '../plan/policy.ts'
import { defaultSettings } from '../plan/policy-settings.ts'
import { buildHousehold } from '../security/policy/household.ts'
import { openPolicyFile } from '../security/policy/policy-file.ts'
import { locateOpa } from '../test/support/opa.ts'
import { programPath } from '../test/support/programs.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { measure, type Side } from './harness.ts'
import { describeMachine } from './machine.ts'
import { type BenchResult, toResult } from './results.ts'

export const policyBench: Bench = { name: 'policy', run: runPolicy }

/** Time per decision with a thousand rules by that with ten (issue 6). */
const must = 3
const decisions = 2_000

/** Those of one action ask, and it is among ten as well as among a thousand. */
const question: StepQuestion = {
  agent: 'desk',
  action: 'a5',
  effect: 'write',
  audience: 'owner',
  egress: [],
  touches: ['noise'],
  hasUndo: true,
  kind: 'do',
  moment: 'plan',
}

const many = (rules: number) => Array.from({ length: rules }, (_, index) => index)

async function withNames(rules: number): Promise<Policy> {
  const ask = Object.fromEntries(many(rules).map((index) => [`desk.a${index}`, true as const]))
  const { standard } = await openPolicyFile({ settings: { ...defaultSettings, ask } })
  return toPolicy(standard)
}

async function withRego(rules: number, opa: string): Promise<Policy> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-policy-'))
  try {
    const text = many(rules).map(
      (index) => `ask_for["desk.a${index}"] contains "r${index}" if input.effect == "write"\n`,
    )
    writeFileSync(join(folder, 'rules.rego'), ['package household\n', ...text].join('\n'))
    const { wasm } = await buildHousehold(opa, folder)
    const household = { wasm: Buffer.from(wasm).toString('base64'), data: {} }
    const engines = await openPolicyFile({ settings: { ...defaultSettings }, household })
    return toPolicy(engines.standard, engines.household)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function sideOf(name: string, { decide }: Policy): Side {
  return {
    name,
    pieces: decisions,
    run: async () => {
      for (let done = 0; done < decisions; done += 1) {
        if (decide(question).verdict !== 'ask') throw new Error(`${name} did not ask`)
      }
    },
  }
}

async function runPolicy(options: BenchOptions): Promise<readonly BenchResult[]> {
  const opa = await locateOpa()
  const sides = [
    sideOf('ten names', await withNames(10)),
    sideOf('a thousand names', await withNames(1_000)),
    sideOf('ten rules in Rego', await withRego(10, opa)),
    sideOf('a thousand rules in Rego', await withRego(1_000, opa)),
  ]
  const about = {
    name: 'policy',
    about: 'One decision of the policy, with rules of the household’s own beside the default ones.',
    command: options.command,
    on: describeMachine(programPath('temporal')),
    rounds: options.measure.rounds,
  }
  return [
    toResult(about, await measure(sides, options.measure), [
      { of: 'a thousand names', to: 'ten names', must },
      { of: 'a thousand rules in Rego', to: 'ten rules in Rego', must },
    ]),
  ]
}
