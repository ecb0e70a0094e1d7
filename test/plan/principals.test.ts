// Who an address belongs to, and who sees what an action is given.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Audience } from '../../plan/manifest.ts'
import {
  audienceOf,
  isListed,
  namesFor,
  nobody,
  normaliseAddress,
  principalOf,
} from '../../plan/principals.ts'

const names = {
  people: { owner: ['me@Example.org', '+43 (1) 234-56'], bob: ['Bob@example.org'] },
  places: { office: ['Example Street 1'] },
}

describe('an address', () => {
  it('is one principal in every spelling of its domain, its separators and its accents', () => {
    expect(principalOf(' Bob@EXAMPLE.org ', nobody)).toBe('addr:Bob@example.org')
    expect(principalOf('+43 1 23456', nobody)).toBe('addr:+43123456')
    expect(principalOf('caf\u0065\u0301@x.org', nobody)).toBe('addr:caf\u00e9@x.org')
  })

  it('is another one where the part before the @ differs', () => {
    expect(principalOf('bob@example.org', nobody)).not.toBe(principalOf('Bob@example.org', nobody))
  })

  it('is the user’s own only when it stands under owner', () => {
    expect(principalOf('me@example.ORG', names)).toBe('user:owner')
    expect(principalOf('+43123456', names)).toBe('user:owner')
    expect(principalOf('Bob@example.org', names)).toBe('addr:Bob@example.org')
    expect(principalOf('me@example.org, eve@x.org', names)).not.toBe('user:owner')
    expect(principalOf('me@example.org', nobody)).toBe('addr:me@example.org')
  })

  it('stays what it is when it is normalised again', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(normaliseAddress(normaliseAddress(text))).toBe(normaliseAddress(text))
      }),
    )
  })

  it('is listed when the user wrote that very value', () => {
    expect(isListed('Bob@Example.org', names)).toBe(true)
    expect(isListed('Example Street 1', names)).toBe(true)
    expect(isListed('bob', names)).toBe(false)
    expect(isListed('eve@example.org', names)).toBe(false)
    expect(isListed(7, names)).toBe(false)
  })
})

describe('another person of the household', () => {
  const house = { people: { ...names.people, anna: ['anna@Example.org'] }, places: names.places }

  it('means their own addresses by owner, and the owner is one whom they know', () => {
    const annas = namesFor('anna', house)
    expect(principalOf('anna@example.org', annas)).toBe('user:owner')
    expect(principalOf('me@example.org', annas)).toBe('addr:me@example.org')
    expect(isListed('me@example.org', annas)).toBe(true)
    expect(namesFor('owner', house)).toBe(house)
  })

  it('without an address in the lists has none, whatever they are called', () => {
    for (const id of ['zoe', 'constructor', '__proto__']) {
      expect(namesFor(id, house).people['owner'], id).toEqual([])
      expect(principalOf('me@example.org', namesFor(id, house)), id).toBe('addr:me@example.org')
    }
  })
})

describe('the audience of an action', () => {
  const agent = {
    egress: [
      { id: 'one', host: 'one.example', port: 443, protocol: 'https', allow: [] },
      { id: 'set', host: { config: 'web.origins' }, port: 443, protocol: 'https', allow: [] },
      {
        id: 'home',
        host: { config: 'web.home' },
        port: 80,
        protocol: 'http',
        allow: [],
        privateAddress: true,
        onlyPrivate: true,
      },
    ],
  } as const
  const of = (declared: Audience, values?: readonly unknown[]) =>
    audienceOf(declared, agent, { names, valuesOf: () => values })

  it('is the owner, everybody, or a host by its name or its setting', () => {
    expect(of('owner')).toEqual(['user:owner'])
    expect(of('PUBLIC')).toBe('PUBLIC')
    expect(of({ host: 'one' })).toEqual(['host:one.example'])
    expect(of({ host: 'set' })).toEqual(['host:{web.origins}'])
    expect(of({ host: 'other' })).toBe('PUBLIC')
  })

  it('is whoever the argument may name', () => {
    expect(of({ arg: '/to' }, ['Bob@example.org'])).toEqual(['addr:Bob@example.org'])
    expect(of({ arg: '/to' }, [['me@example.org', 'eve@x.org']])).toEqual([
      'addr:eve@x.org',
      'user:owner',
    ])
  })

  it('is the host that the argument chooses, or the owner where it never leaves the house', () => {
    expect(of({ hostOf: '/by' }, ['set'])).toEqual(['host:{web.origins}'])
    expect(of({ hostOf: '/by' }, ['home'])).toEqual(['user:owner'])
    expect(of({ hostOf: '/by' }, ['one', 'home'])).toEqual(['host:one.example', 'user:owner'])
    for (const unknown of [undefined, [], ['other'], ['home', 'other'], [7]]) {
      expect(of({ hostOf: '/by' }, unknown), JSON.stringify(unknown)).toBe('PUBLIC')
    }
  })

  it('is everybody where that is not known, or not a text', () => {
    expect(of({ arg: '/to' })).toBe('PUBLIC')
    expect(of({ arg: '/to' }, [])).toBe('PUBLIC')
    expect(of({ arg: '/to' }, [['a@x.org', null]])).toBe('PUBLIC')
  })
})
