// The policy in force while the notary runs: there is always one that passed its self-test, and what
// cannot be put in force leaves the former one, which is said in the audit and in a file.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../../notary/config.ts'
import { openPolicySource, type PolicySource } from '../../notary/policy-source.ts'
import type { Policy } from '../../plan/policy.ts'
import { faultOfPolicy } from '../../plan/policy-check.ts'
import { defaultSettings } from '../../plan/policy-settings.ts'
import { readDefaultPolicy } from '../../security/policy/default-policy.ts'
import { policyInUseSchema } from '../../security/policy/in-use.ts'
import { policy } from '../support/policy.ts'
import { ordinary } from '../support/policy-case.ts'
import { createHarness, type Harness } from './harness.ts'

let folder: string
let harness: Harness
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-policy-source-'))
  harness = await createHarness()
})
afterEach(async () => {
  await harness.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = () => openPolicySource(folder, harness.store)
const put = (text: string) => writeFileSync(join(folder, 'policy.json'), text)
const putSettings = (settings: object, more: object = {}) =>
  put(JSON.stringify({ settings: { ...defaultSettings, ...settings }, ...more }))
const inUse = () =>
  policyInUseSchema.parse(JSON.parse(readFileSync(join(folder, 'policy-in-use.json'), 'utf8')))
const lastRow = () => JSON.parse(harness.rows().at(-1)?.body ?? '{}')
const verdict = (source: PolicySource, over: object = {}) =>
  source.policy.decide({ ...ordinary, ...over }).verdict

describe('the policy in force', () => {
  it('is the default where none was handed out', async () => {
    const source = await open()
    expect(source.policy.digest).toBe(policy.digest)
    expect(verdict(source)).toBe('allow')
    expect(inUse()).toEqual({ digest: policy.digest, seen: null, refused: null })
  })

  it('is what lies there at the start and after being told', async () => {
    putSettings({ ask: { 'desk.put': true } })
    const source = await open()
    expect(verdict(source)).toBe('ask')
    const former = source.policy.digest
    putSettings({ deny: { 'desk.put': true } })
    expect(verdict(source)).toBe('ask')
    await source.reload()
    expect(verdict(source)).toBe('deny')
    expect(source.policy.digest).not.toBe(former)
    expect(inUse()).toMatchObject({ digest: source.policy.digest, refused: null })
    const changed = { event: 'policy-changed', previous: former, current: source.policy.digest }
    expect(lastRow()).toEqual(changed)
    const rows = harness.rows().length
    await source.reload()
    expect(harness.rows()).toHaveLength(rows)
  })

  const broken: readonly (readonly [string, string])[] = [
    ['half a file', '{"settings":'],
    ['no policy', '[]'],
    ['settings of another version', JSON.stringify({ settings: { version: 2 } })],
    ['settings that are none', JSON.stringify({ settings: { ...defaultSettings, quiet: {} } })],
    [
      'a module that is none',
      JSON.stringify({ settings: defaultSettings, household: { wasm: 'AAAA', data: {} } }),
    ],
    [
      'a module with another entry point',
      JSON.stringify({
        settings: defaultSettings,
        household: { wasm: Buffer.from(readDefaultPolicy()).toString('base64'), data: {} },
      }),
    ],
  ]

  it.each(broken)('stays when %s is handed out, which is said', async (_name, text) => {
    putSettings({ ask: { 'desk.put': true } })
    const source = await open()
    const { digest } = source.policy
    put(text)
    await source.reload()
    expect(source.policy.digest).toBe(digest)
    expect(verdict(source)).toBe('ask')
    expect(inUse()).toMatchObject({ digest, refused: expect.stringMatching(/./) })
    expect(lastRow()).toEqual({
      event: 'policy-refused',
      kept: digest,
      reason: inUse().refused,
    })
    putSettings({})
    await source.reload()
    expect(inUse()).toMatchObject({ digest: policy.digest, refused: null })
  })

  it.each(broken)(
    'is nothing at a start with %s: the notary does not begin',
    async (_name, text) => {
      put(text)
      await expect(open()).rejects.toThrow(ConfigError)
    },
  )
})

describe('the self-test of a policy', () => {
  const allows = { verdict: 'allow', rules: ['a'] } as const
  const denies = { verdict: 'deny', rules: ['a'], missing: 'b' } as const
  const of = (decide: Policy['decide']): Policy => ({ digest: 'x', decide })
  const known = ['read', 'write', 'egress', 'irreversible']

  it('passes the default', () => {
    expect(faultOfPolicy(policy)).toBeUndefined()
  })

  it.each<[string, Policy['decide']]>([
    ['breaks down', () => ({ ...denies, rules: ['policy.broken'] })],
    ['has no settings', () => ({ ...denies, rules: ['policy.settings'] })],
    [
      'class that nobody knows',
      (one) => (known.includes(one.effect) ? policy.decide(one) : allows),
    ],
    [
      'cannot be undone',
      (one) => {
        const decided = policy.decide(one)
        return decided.verdict === 'ask' ? allows : decided
      },
    ],
    ['move money', (one) => policy.decide({ ...one, touches: [] })],
    ['refuses undos', (one) => (one.kind === 'undo' ? denies : policy.decide(one))],
  ])('refuses one that %s', (what, decide) => {
    expect(faultOfPolicy(of(decide))).toContain(what)
  })
})
