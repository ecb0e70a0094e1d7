// Finding by words: spellings, beginnings, ranks, and queries that are anything but words.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../agents/memory/entry.ts'
import { createWordIndex, maxShownCharacters } from '../../agents/memory/word-index.ts'

const about = { label: 'UNTRUSTED', source: null, remembered: 0, expires: null } as const

function indexOf(texts: readonly (string | Partial<Entry>)[]) {
  const index = createWordIndex()
  for (const [at, one] of texts.entries()) {
    const entry = {
      ...about,
      kind: 'fact',
      text: '',
      ...(typeof one === 'string' ? { text: one } : one),
    } as const
    index.add([{ seq: at + 1, id: String(at), entry }])
  }
  const found = (query: string, kinds?: Entry['kind'][], limit = 50) =>
    index.search({ query, kinds, limit })
  return { index, found, ids: (query: string) => found(query).matches.map(({ id }) => id) }
}

describe('words', () => {
  it.each([
    ['zurich', 'We went to Zürich.'],
    ['ZÜRICH', 'We went to Zu\u0308rich.'],
    ['résumé', 'Her resume lies on the desk.'],
    ['wal', 'The walnut tree'],
    ['Бо', 'боб'],
    ['ﬁne', 'a fine day'],
    ['12', 'at 12:30'],
    ['東京', '東京タワー'],
  ])('%s finds %s', (query, text) => {
    expect(indexOf(['nothing of the kind', text]).ids(query)).toEqual(['1'])
  })

  it('must all be there, and where nothing has all, any will do', () => {
    const { found } = indexOf(['tea with milk', 'tea without sugar', 'coffee'])
    expect(found('tea milk')).toMatchObject({ words: 'all', count: 1, matches: [{ id: '0' }] })
    const any = found('sugar coffee')
    expect([any.words, any.count]).toEqual(['any', 2])
    expect(found('cocoa wine')).toMatchObject({ count: 0, matches: [] })
  })

  it('rank what is about them first, of equals the newest', () => {
    const long = `boiler ${'and other things '.repeat(40)}`
    expect(indexOf([long, 'the boiler']).ids('boiler')).toEqual(['1', '0'])
    expect(indexOf(['the boiler', 'the boiler']).ids('boiler')).toEqual(['1', '0'])
  })

  it('of the source are found too, and of the kinds that are asked for', () => {
    const { found, ids } = indexOf([
      { text: 'No nuts.', source: 'Bob' },
      { text: 'Bob', kind: 'episode' },
    ])
    expect(new Set(ids('bob'))).toEqual(new Set(['0', '1']))
    expect(found('bob', ['episode']).matches.map(({ id }) => id)).toEqual(['1'])
  })

  it('are counted beyond the limit, and a snippet is a part of a long text', () => {
    const text = `${'before '.repeat(200)}needle${' after'.repeat(200)}`
    const { found } = indexOf([text, text, text])
    const { count, matches } = found('needle', undefined, 2)
    expect([count, matches.length]).toEqual([3, 2])
    expect(matches[0]?.snippet).toMatch(/^….*needle.*…$/)
    const [unbroken] = indexOf(['x'.repeat(4_096)]).found('x').matches
    expect(unbroken?.snippet).toHaveLength(maxShownCharacters)
  })

  it('go with their entry', () => {
    const { index, ids } = indexOf(['the boiler', 'the boiler'])
    index.remove('1')
    expect([ids('boiler'), index.size, index.bytes]).toEqual([['0'], 1, 10])
    index.remove('0')
    index.remove('0')
    expect([ids('boiler'), index.size, index.bytes]).toEqual([[], 0, 0])
  })
})

describe('a query', () => {
  it.each([
    '"',
    '""',
    "'",
    'a"b',
    'boiler"',
    '*',
    'boiler*',
    '^boiler',
    'boiler OR',
    'AND',
    'NOT boiler',
    'NEAR(boiler 1)',
    'text : boiler',
    '{text} : boiler',
    '- boiler',
    '(boiler',
    '+',
    'boiler; DROP TABLE texts',
    '\u0000',
    'boiler\u0000',
    "' OR 1=1 --",
    '%',
    '_',
    '\\',
    '\ud800',
    '﷽',
    '🫠',
    '́',
    `${'a '.repeat(249)}`,
  ])('%j is words or nothing, and never an error', (query) => {
    const { found, index } = indexOf(['the boiler', 'another'])
    const { count } = found(query)
    expect(count).toBeLessThanOrEqual(2)
    expect(index.size).toBe(2)
    expect(found('another').count).toBe(1)
  })

  it('of any characters finds what is there by its own first word', () => {
    const { index, found } = indexOf([])
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ unit: 'grapheme' }),
        (text, query) => {
          index.add([
            { seq: 1, id: 'a', entry: { ...about, kind: 'fact', text: `needle ${text}` } },
          ])
          expect(found('needle').count).toBe(1)
          expect(found(query).count).toBeLessThanOrEqual(1)
          expect(
            found(text).matches.every(({ snippet }) => [...snippet].length <= maxShownCharacters),
          ).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})
