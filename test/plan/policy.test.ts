// The policy of every deployment, as compiled: what it allows, asks and denies, and that whatever its
// rules do not name is denied. Which rule each case needs is test/integration/policy-rules.test.ts.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Effect } from '../../plan/manifest.ts'
import { type PolicyPort, type StepQuestion, toPolicy } from '../../plan/policy.ts'
import { defaultSettings } from '../../plan/policy-settings.ts'
import { readDefaultPolicy } from '../../security/policy/default-policy.ts'
import { openEngine } from '../../security/policy/engine.ts'
import { decide, openPolicy, policy } from '../support/policy.ts'
import { ordinary } from '../support/policy-case.ts'
import { policyCases } from '../support/policy-cases.ts'

describe('the default policy', () => {
  it.each(policyCases)('says $verdict to $name', async ({ question, settings, verdict, rules }) => {
    const decision = (await openPolicy(settings)).decide(question)
    expect(decision).toMatchObject({ verdict, rules })
    if (decision.verdict === 'deny') expect(decision.missing).not.toBe('')
  })

  it('has a name for each case', () => {
    expect(new Set(policyCases.map(({ name }) => name)).size).toBe(policyCases.length)
  })

  it('says what is missing in words that name the action', () => {
    const missing = (over: object) => {
      const decision = decide({ ...ordinary, ...over })
      return decision.verdict === 'deny' ? decision.missing : decision.verdict
    }
    expect(missing({ hasUndo: false })).toBe('an undo for desk.put')
    expect(missing({ effect: 'nuke' })).toBe('a rule for the effect class of desk.put')
    expect(missing({ audience: 'PUBLIC' })).toMatch(/^a rule for what people other than the owner/)
    expect(missing({ effect: 'egress', audience: 'PUBLIC' })).toMatch(/^an audience of desk.put/)
    expect(missing({ kind: 'undo', effect: 'read' })).toBe('an undo that writes; desk.put does not')
    expect(missing({ touches: ['money'] })).toMatch(/moves money/)
  })

  it('allows nothing but owner’s reads, undoable writes, writing undos and declared requests', () => {
    const question = fc.record({
      agent: fc.string(),
      action: fc.string(),
      effect: fc.constantFrom<Effect>('read', 'write', 'egress', 'irreversible'),
      audience: fc.constantFrom<StepQuestion['audience']>(
        'owner',
        'PUBLIC',
        { arg: '/a' },
        { host: 'h' },
      ),
      egress: fc.subarray(['h', 'api']),
      hasUndo: fc.boolean(),
      kind: fc.constantFrom<'do' | 'undo'>('do', 'undo'),
      moment: fc.constant('plan' as const),
    })
    fc.assert(
      fc.property(question, (one) => {
        const { verdict } = decide(one)
        if (verdict === 'deny') return
        if (verdict === 'ask') {
          expect(one).toMatchObject({ kind: 'do', effect: 'irreversible' })
          return
        }
        if (one.effect === 'egress') {
          expect(one.kind).toBe('do')
          if (one.audience === 'owner') return
          expect(one.audience).toEqual({ host: 'h' })
          expect(one.egress).toContain('h')
          return
        }
        expect(one.audience).toBe('owner')
        expect(['read', 'write']).toContain(one.effect)
        if (one.kind === 'do' && one.effect === 'write') expect(one.hasUndo).toBe(true)
      }),
    )
  })

  it('denies everything without its settings', async () => {
    const entrypoint = 'bulkhead/decision'
    for (const data of [{}, { settings: {} }, { settings: { ...defaultSettings, version: 2 } }]) {
      const bare = toPolicy(await openEngine(readDefaultPolicy(), { data, entrypoint }))
      const read = { ...ordinary, effect: 'read' } as const
      expect(bare.decide(read)).toMatchObject({ verdict: 'deny', rules: ['policy.settings'] })
    }
  })

  it('has another digest with other settings, and the same with the same', async () => {
    const other = await openPolicy({ rates: { agentPerHour: 1, userPerHour: 1 } })
    expect(other.digest).not.toBe(policy.digest)
    expect((await openPolicy()).digest).toBe(policy.digest)
    expect(policy.digest).toMatch(/^[\w-]{43}$/)
  })
})

describe('a module that is no policy', () => {
  const data = { settings: defaultSettings }

  it('is refused when it is opened', async () => {
    const open = (wasm: Uint8Array<ArrayBuffer>, entrypoint = 'bulkhead/decision') =>
      openEngine(wasm, { data, entrypoint })
    const unreadable = expect.objectContaining({ code: 'UNREADABLE' })
    await expect(open(new Uint8Array([1, 2, 3]))).rejects.toEqual(unreadable)
    await expect(open(readDefaultPolicy().slice(0, 9_000))).rejects.toEqual(unreadable)
    await expect(open(readDefaultPolicy(), 'some/other')).rejects.toEqual(unreadable)
  })
})

describe('whatever a policy answers', () => {
  const port = (evaluate: PolicyPort['evaluate']): PolicyPort => ({ digest: 'x', evaluate })

  it.each([
    ['nothing', undefined],
    ['an unknown verdict', { verdict: 'perhaps', rules: ['a'] }],
    ['leave without a rule', { verdict: 'allow', rules: [] }],
    ['a question without a rule', { verdict: 'ask', rules: [] }],
    ['leave and more', { verdict: 'allow', rules: ['a'], because: 'x' }],
    ['a denial without what is missing', { verdict: 'deny', rules: ['a'] }],
  ])('%s is a denial', (_name, answer) => {
    expect(toPolicy(port(() => answer)).decide(ordinary)).toMatchObject({
      verdict: 'deny',
      rules: ['policy.broken'],
    })
  })

  it('is a denial when it breaks down', () => {
    const broken = port(() => {
      throw new Error('out of memory')
    })
    expect(toPolicy(broken).decide(ordinary).verdict).toBe('deny')
    expect(toPolicy(allowing, broken).decide(ordinary).verdict).toBe('deny')
  })

  const allowing = port(() => ({ verdict: 'allow', rules: ['a'] }))
  const asking = port(() => ({ verdict: 'ask', rules: ['a'] }))
  const denying = port(() => ({ verdict: 'deny', rules: ['a'], missing: 'b' }))
  const household = (deny: string[], ask: string[]) => port(() => ({ deny, ask }))

  it('can be made stricter by the household’s rules and never looser', () => {
    const verdict = (one: PolicyPort, deny: string[], ask: string[]) =>
      toPolicy(one, household(deny, ask)).decide(ordinary)
    expect(verdict(allowing, [], [])).toEqual({ verdict: 'allow', rules: ['a'] })
    expect(verdict(allowing, [], ['x'])).toEqual({ verdict: 'ask', rules: ['household.x'] })
    expect(verdict(asking, [], ['x'])).toEqual({ verdict: 'ask', rules: ['a', 'household.x'] })
    expect(verdict(allowing, ['x'], ['y'])).toMatchObject({ rules: ['household.x'] })
    expect(verdict(asking, ['x'], []).verdict).toBe('deny')
    expect(verdict(asking, [], []).verdict).toBe('ask')
    expect(verdict(denying, [], []).verdict).toBe('deny')
  })

  it('leaves undos to the default rules', () => {
    const undo = { ...ordinary, kind: 'undo' } as const
    expect(toPolicy(allowing, household(['x'], ['y'])).decide(undo).verdict).toBe('allow')
  })
})
