// The lattice of labels by its laws, and what a manifest says of the fields of a result.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bottom,
  integrities,
  isAtMost,
  isTrusted,
  join,
  joinAll,
  type Label,
  labelOfField,
  mayBeSeenBy,
  type Readers,
  unknown,
  written,
} from '../../plan/labels.ts'
import { byCodeUnits, type Principal } from '../../plan/principals.ts'

const principals = ['addr:bob@x.org', 'host:a', 'user:owner', 'user:two'] as const
const sorted = <T extends string>(values: readonly T[]): T[] => [...values].sort(byCodeUnits)
const readers: fc.Arbitrary<Readers> = fc.oneof(
  fc.constant('PUBLIC' as const),
  fc.subarray<Principal>([...principals]).map(sorted),
)
/** More origins than a label keeps, so that the laws hold where it forgets too. */
const origins = Array.from({ length: 90 }, (_, at) => `s${String(at).padStart(2, '0')}#/x`)
const label: fc.Arbitrary<Label> = fc.record({
  integrity: fc.constantFrom(...integrities),
  readers,
  agents: fc.subarray(['calendar', 'mail', 'notes']).map(sorted),
  provenance: fc.subarray(origins, { maxLength: 64 }).map(sorted),
})
const audience = readers

function property(...check: Parameters<typeof fc.property<[Label, Label, Label]>>): void {
  fc.assert(fc.property(...check), { numRuns: 500 })
}

describe('joining labels', () => {
  it('does not depend on order or grouping, and changes nothing when repeated', () => {
    property(label, label, label, (a, b, c) => {
      expect(join(a, b)).toEqual(join(b, a))
      expect(join(join(a, b), c)).toEqual(join(a, join(b, c)))
      expect(join(a, a)).toEqual(a)
      expect(join(a, bottom)).toEqual(a)
    })
  })

  it('is the least label that is at least both', () => {
    property(label, label, label, (a, b, c) => {
      const both = join(a, b)
      expect(isAtMost(a, both) && isAtMost(b, both)).toBe(true)
      const upper = join(both, c)
      expect(isAtMost(both, upper)).toBe(true)
    })
  })

  it('orders labels: reflexive, antisymmetric, transitive', () => {
    property(label, label, label, (a, b, c) => {
      expect(isAtMost(a, a)).toBe(true)
      if (isAtMost(a, b) && isAtMost(b, a)) expect(a).toEqual(b)
      if (isAtMost(a, b) && isAtMost(b, c)) expect(isAtMost(a, c)).toBe(true)
    })
  })

  it('never makes anything better: not trust, not readers, not origins', () => {
    fc.assert(
      fc.property(label, label, audience, (a, b, seen) => {
        const both = join(a, b)
        if (isTrusted(both)) expect(isTrusted(a) && isTrusted(b)).toBe(true)
        if (mayBeSeenBy(both, seen)) expect(mayBeSeenBy(a, seen) && mayBeSeenBy(b, seen)).toBe(true)
        expect(both.agents).toEqual(expect.arrayContaining([...a.agents, ...b.agents]))
      }),
      { numRuns: 500 },
    )
  })

  it('of nothing is the best label, and of something with what nothing is known of is no good', () => {
    expect(joinAll([])).toEqual(bottom)
    const worst = join(written, unknown)
    expect(isTrusted(worst)).toBe(false)
    expect(mayBeSeenBy(worst, ['user:owner'])).toBe(false)
  })
})

describe('an audience', () => {
  it('sees what it is listed for, and everybody sees what is public', () => {
    const seenBy = (who: Readers) => ({ ...bottom, readers: who })
    expect(mayBeSeenBy(seenBy('PUBLIC'), 'PUBLIC')).toBe(true)
    expect(mayBeSeenBy(seenBy(['user:owner']), 'PUBLIC')).toBe(false)
    expect(mayBeSeenBy(seenBy(['user:owner']), ['user:owner'])).toBe(true)
    expect(mayBeSeenBy(seenBy(['user:owner']), ['host:a', 'user:owner'])).toBe(false)
    expect(mayBeSeenBy(seenBy([]), ['user:owner'])).toBe(false)
  })
})

describe('the field of a result', () => {
  const action = {
    labels: { '/days': { readers: 'PUBLIC' }, '/days/*/place': { readers: 'owner' } },
  } as const
  const readersOf = (...tokens: readonly string[]) => labelOfField(action, tokens).readers

  it('is untrusted, and the owner’s alone where nothing is declared', () => {
    expect(labelOfField({}, ['x'])).toEqual({
      ...bottom,
      integrity: 'UNTRUSTED',
      readers: ['user:owner'],
    })
    expect(readersOf('other')).toEqual(['user:owner'])
    expect(readersOf()).toEqual(['user:owner'])
  })

  it('has the readers of the nearest declaration above it', () => {
    expect(readersOf('days', '0', 'sky')).toBe('PUBLIC')
    expect(readersOf('days', '0', 'place')).toEqual(['user:owner'])
    expect(readersOf('days', '*', 'place', 'lat')).toEqual(['user:owner'])
  })

  it('is no more public than what it holds', () => {
    expect(readersOf('days')).toEqual(['user:owner'])
    expect(readersOf('days', '3')).toEqual(['user:owner'])
    expect(labelOfField({ labels: { '': { readers: 'PUBLIC' } } }, []).readers).toBe('PUBLIC')
  })
})
