// What the policy says of a plan, told by the command before anything runs: whether a person will be asked,
// and with exit code 3 where the answer is no. No platform runs: the policy is read where it lies.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultSettings, type PolicySettings } from '../../plan/policy-settings.ts'
import { runCli } from '../support/cli.ts'
import { checkSchema } from '../support/cli-shapes.ts'
import { writePlan } from '../support/plan-files.ts'

let base: string
let file: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-plan-policy-'))
  const args = `{ calendar: work, uid: x@example.org, scope: all, ifMatch: ${'A'.repeat(43)} }`
  const step = `{ id: a, agent: calendar, action: delete, args: ${args} }`
  file = writePlan(base, 'deleting', `steps:\n  - ${step}\nanswer: { from: [a] }\n`)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function putPolicy(change: Partial<PolicySettings>): void {
  mkdirSync(join(base, 'cli'))
  const settings = { ...defaultSettings, ...change }
  writeFileSync(join(base, 'cli', 'policy.json'), JSON.stringify({ settings }))
}
const cli = (...args: readonly string[]) => runCli([...args, file, '--json', '--state', base])

describe('a plan that does what cannot be undone', () => {
  it('is asked about, and the check says so', async () => {
    const { code, stdout } = await cli('plan', 'check')
    expect(code).toBe(0)
    expect(checkSchema.parse(JSON.parse(stdout)).report.approvals).toEqual(['a'])
  })

  it.each([[['plan', 'check']], [['run']]])(
    'exits with 3 from %j where the household refuses it',
    async (command) => {
      putPolicy({ deny: { 'calendar.delete': true } })
      const { code, stdout } = await cli(...command)
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, issues: [{ code: 'POLICY' }] })
      expect(code).toBe(3)
    },
  )
})
