// `bulkhead policy` with OPA itself: rules of a household's own are checked, tested and tried on what has
// been decided, before they are in force. The platform is down; the audit is read where it lies.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toPolicy } from '../../plan/policy.ts'
import { defaultSettings } from '../../plan/policy-settings.ts'
import { buildHousehold } from '../../security/policy/household.ts'
import { openPolicyFile } from '../../security/policy/policy-file.ts'
import { createHarness } from '../notary/harness.ts'
import { append, twoWrites } from '../notary/plans.ts'
import { runCli } from '../support/cli.ts'
import { locateOpa, opaTimeoutMs } from '../support/opa.ts'
import { ordinary } from '../support/policy-case.ts'

let opa: string
let home: string
const rules = () => join(home, 'rules')
const state = () => join(home, 'state')
const put = (name: string, text: string) => writeFileSync(join(rules(), name), text)
const policy = async (...words: string[]) => {
  const args = ['policy', ...words, '--state', state(), '--json']
  const { code, stdout, stderr } = await runCli(args, { env: {} })
  return { code, stderr, document: stdout === '' ? undefined : JSON.parse(stdout) }
}
const good = `package household

# Notes are shown to somebody first.
ask contains "notes" if input.agent in data.shown

ask_for.noise contains "loud"

deny_for["other.drop"] contains "dropped" if input.effect == "write"

deny contains "night" if {
	input.moment == "effect"
	input.minute < 60
}
`
const tests = `package household_test

test_notes if "notes" in data.household.ask with input as {"agent": "desk"}

test_by_key if {
	"loud" in data.household.ask_for.noise
	"dropped" in data.household.deny_for["other.drop"] with input as {"effect": "write"}
}

test_night if "night" in data.household.deny with input as {"moment": "effect", "minute": 5}
`

beforeAll(async () => {
  opa = await locateOpa()
  home = mkdtempSync(join(tmpdir(), 'bulkhead-policy-command-'))
  for (const folder of ['rules', 'state/notary', 'state/cli', 'state/public']) {
    mkdirSync(join(home, folder), { recursive: true })
  }
  const harness = await createHarness({ folder: join(state(), 'notary') })
  const run = await harness.run(twoWrites)
  await run.perform('first', append('a'), {})
  await harness.store.close()
}, opaTimeoutMs)
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('rules of a household', () => {
  it('are compiled with their data, and can ask and refuse', async () => {
    put('house.rego', good)
    put('data.json', '{"shown": ["desk"]}')
    const { wasm, data } = await buildHousehold(opa, rules())
    expect(data).toEqual({ shown: ['desk'] })
    const { standard, household } = await openPolicyFile({
      settings: { ...defaultSettings },
      household: { wasm: Buffer.from(wasm).toString('base64'), data: { shown: ['desk'] } },
    })
    const { decide } = toPolicy(standard, household)
    expect(decide(ordinary)).toEqual({ verdict: 'ask', rules: ['household.notes'] })
    expect(decide({ ...ordinary, agent: 'other' }).verdict).toBe('allow')
    const now = {
      ...ordinary,
      moment: 'effect',
      usage: { agent: 0, user: 0 },
      budget: { agentDay: 0, agentMonth: 0, userDay: 0, userMonth: 0 },
      amounts: [],
    } as const
    expect(decide({ ...now, minute: 5 })).toMatchObject({ rules: ['household.night'] })
    expect(decide({ ...now, agent: 'other', minute: 720, touches: ['noise'] })).toEqual({
      verdict: 'ask',
      rules: ['household.loud'],
    })
    expect(decide({ ...ordinary, agent: 'other', action: 'drop' })).toMatchObject({
      verdict: 'deny',
      rules: ['household.dropped'],
    })
    expect(decide({ ...ordinary, agent: 'another', action: 'drop' }).verdict).toBe('allow')
    // Its own rule about the hour says nothing of an hour that nobody knows; the default's would.
    expect(decide({ ...now, agent: 'other' }).verdict).toBe('allow')
  })

  it('are checked and tested before they are in force', async () => {
    put('house_test.rego', tests)
    expect(await policy('check', rules())).toMatchObject({
      code: 0,
      document: { ok: true, tests: { passed: 3, failed: [], coverage: 100 } },
    })
    put('house_test.rego', tests.replace('"minute": 5', '"minute": 500'))
    expect(await policy('check', rules())).toMatchObject({
      code: 1,
      document: { ok: false, tests: { passed: 2, failed: ['test_night'] } },
    })
    put('house_test.rego', tests)
    const tested = await policy('test', rules())
    expect(tested).toMatchObject({ code: 0, document: { ok: true, default: { coverage: 100 } } })
    expect(tested.document.default.passed).toBeGreaterThan(10)
    put('house.rego', 'package household\n\nask contains "x" if {\n')
    const broken = await policy('check', rules())
    expect(broken).toMatchObject({ code: 1, document: undefined })
    expect(broken.stderr).toMatch(
      /house\.rego:.*next: edit the rules, then: npx bulkhead policy check/s,
    )
  })

  it('are tried on what was decided', async () => {
    put('house.rego', good)
    const tried = await policy('simulate', rules(), '--since', '2026-01-01')
    expect(tried).toMatchObject({
      code: 0,
      document: {
        asked: 1,
        different: 1,
        differences: [{ step: 'first', verdict: 'allow', anew: { rules: ['household.notes'] } }],
      },
    })
    put('data.json', '{"shown": []}')
    const again = await policy('simulate', rules(), '--since', '2026-01-01')
    expect(again.document).toMatchObject({ asked: 1, different: 0, differences: [] })
    expect((await policy('simulate', rules(), '--since', 'soon')).code).toBe(2)
    expect((await policy('simulate', join(home, 'nowhere'))).code).toBe(2)
  })
})

describe('policy explain', () => {
  it('says why a past step was allowed', async () => {
    expect(await policy('explain', 'r-1', 'first')).toMatchObject({
      code: 0,
      document: {
        decisions: [{ verdict: 'allow', rules: ['write.undoable'], today: { verdict: 'allow' } }],
      },
    })
    expect((await policy('explain', 'r-1', 'never')).code).toBe(1)
  })
})
