// The built-in rules: what they allow, and that whatever they do not name is denied.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Effect } from '../../plan/manifest.ts'
import { decide, type StepQuestion } from '../../plan/policy.ts'

const asked = (over: Partial<StepQuestion>): StepQuestion => ({
  agent: 'desk',
  action: 'put',
  effect: 'write',
  audience: 'owner',
  hasUndo: true,
  kind: 'do',
  ...over,
})

describe('allowed', () => {
  test.each([
    ['a read for the owner', { effect: 'read', hasUndo: false }],
    ['a write that can be undone', {}],
    ['the undo of one', { kind: 'undo', hasUndo: false }],
    [
      'a request to a declared host',
      { effect: 'egress', audience: { host: 'api' }, egress: ['news', 'api'], hasUndo: false },
    ],
  ] as const)('%s', (_name, over) => {
    const decision = decide(asked(over))
    expect(decision.allow && decision.rules.length).toBe(1)
  })
})

describe('denied, with what is missing', () => {
  test.each([
    ['a write that cannot be undone', { hasUndo: false }],
    ['anything irreversible', { effect: 'irreversible' }],
    ['what cannot be undone, even as an undo', { effect: 'irreversible', kind: 'undo' }],
    ['what leaves the house', { effect: 'egress' }],
    ['what leaves the house, even as an undo', { effect: 'egress', kind: 'undo' }],
    ['a request whose host is not declared', { effect: 'egress', audience: { host: 'api' } }],
    [
      'a request to another host than those declared',
      { effect: 'egress', audience: { host: 'api' }, egress: ['news'] },
    ],
    [
      'a request that everybody sees',
      { effect: 'egress', audience: 'PUBLIC', egress: ['api', 'PUBLIC'] },
    ],
    [
      'a host that is called like everybody',
      { effect: 'egress', audience: { host: 'PUBLIC' }, egress: ['PUBLIC'] },
    ],
    [
      'a request whose host an argument names',
      { effect: 'egress', audience: { arg: '/to' }, egress: ['api'] },
    ],
    ['a request for the owner', { effect: 'egress', egress: ['api'] }],
    ['a write that a host sees', { effect: 'write', audience: { host: 'api' }, egress: ['api'] }],
    [
      'a request, even as an undo',
      { effect: 'egress', kind: 'undo', audience: { host: 'api' }, egress: ['api'] },
    ],
    ['a read that others see', { effect: 'read', audience: 'PUBLIC' }],
    ['a write that others see', { audience: { arg: '/to' } }],
    ['an undo that others see', { kind: 'undo', audience: { host: 'x' } }],
    ['an effect class that nobody knows', { effect: 'nuke' as Effect }],
    ['an unknown class, even as an undo', { effect: 'nuke' as Effect, kind: 'undo' }],
    ['a kind that nobody knows', { kind: 'probe' as 'do' }],
  ] as const)('%s', (_name, over) => {
    const decision = decide(asked(over))
    expect(decision.allow).toBe(false)
    expect(!decision.allow && decision.missing.length > 0 && decision.rules.length > 0).toBe(true)
  })

  test('whatever is asked: only owner’s reads, undoable writes, writing undos and requests to declared hosts pass', () => {
    const audience = fc.constantFrom<StepQuestion['audience']>(
      'owner',
      'PUBLIC',
      { arg: '/a' },
      { host: 'h' },
    )
    const question = fc.record({
      agent: fc.string(),
      action: fc.string(),
      effect: fc.constantFrom<Effect>('read', 'write', 'egress', 'irreversible'),
      audience,
      egress: fc.subarray(['h', 'api']),
      hasUndo: fc.boolean(),
      kind: fc.constantFrom<'do' | 'undo'>('do', 'undo'),
    })
    fc.assert(
      fc.property(question, (one) => {
        if (!decide(one).allow) return
        if (one.effect === 'egress') {
          expect(one).toMatchObject({ kind: 'do', audience: { host: 'h' } })
          expect(one.egress).toContain('h')
          return
        }
        expect(one.audience).toBe('owner')
        expect(['read', 'write']).toContain(one.effect)
        if (one.kind === 'do' && one.effect === 'write') expect(one.hasUndo).toBe(true)
      }),
    )
  })
})
