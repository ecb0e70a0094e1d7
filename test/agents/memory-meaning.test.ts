// Finding by meaning: what is near is found without a word in common, what cannot be compared is counted, a
// vector that is none is refused, and a vector ends with the entry that it is of.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Entry, idOf } from '../../agents/memory/entry.ts'
import { manifest, maxDimensions } from '../../agents/memory/manifest.ts'
import { openMemory } from '../../agents/memory/memory.ts'
import { fuse } from '../../agents/memory/recall.ts'
import { createVectorIndex, parseVector } from '../../agents/memory/vectors.ts'
import { manifest as models } from '../../agents/model/manifest.ts'
import { failureOf, idemOf } from './action-context.ts'
import { createMemoryFolder, dayMs, type MemoryFolder, now } from './memory-folder.ts'

const model = 'nomic-embed-text'
const encode = (...numbers: readonly number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [at, value] of numbers.entries()) bytes.writeFloatLE(value, 4 * at)
  return bytes.toString('base64')
}
const meaning = (...numbers: readonly number[]) => ({
  embedding: { model, vector: encode(...numbers) },
})

let memory: MemoryFolder
beforeEach(() => {
  memory = createMemoryFolder()
})
afterEach(() => memory.remove())

const recall = (query: string, ...numbers: readonly number[]) =>
  memory.call('recall', { query, ...meaning(...numbers) })

describe('what means the same', () => {
  it('is found without a word in common, the nearest first, with how near it is', async () => {
    const far = await memory.remember('The boiler hums.', meaning(0, 0, 1))
    const near = await memory.remember('Anna drinks tea.', meaning(1, 0, 0))
    const nearer = await memory.remember('Coffee keeps Bob awake.', meaning(2, 2, 0))
    const found = await recall('hot beverages', 1, 0.9, 0)
    expect(found).toMatchObject({ count: 0, meaning: { count: 2, without: 0 } })
    expect(found.matches).toMatchObject([
      { id: nearer.id, by: 'meaning', similarity: 0.9986, snippet: 'Coffee keeps Bob awake.' },
      { id: near.id, by: 'meaning', similarity: 0.7433 },
    ])
    expect(found.matches.map(({ id }) => id)).not.toContain(far.id)
  })

  it('comes first where it has the words too, and what has only the words is there as well', async () => {
    const both = await memory.remember('Tea in the morning.', meaning(1, 0))
    const words = await memory.remember('Tea towels are in the drawer.', meaning(0, 1))
    const alike = await memory.remember('Coffee at noon.', meaning(1, 0.1))
    const { matches } = await recall('tea', 1, 0)
    expect(matches.map(({ id, by }) => [id, by])).toEqual([
      [both.id, 'both'],
      [words.id, 'words'],
      [alike.id, 'meaning'],
    ])
  })

  it('is of the kinds that are asked for, and no more than are asked for', async () => {
    await memory.remember('one', meaning(1, 0))
    const episode = await memory.remember('two', { ...meaning(1, 0), kind: 'episode' })
    const args = { query: 'x', ...meaning(1, 0) }
    const { matches } = await memory.call('recall', { ...args, kinds: ['episode'] })
    expect(matches.map(({ id }) => id)).toEqual([episode.id])
    const { meaning: counted, matches: first } = await memory.call('recall', { ...args, limit: 1 })
    expect([counted?.count, first.length]).toEqual([2, 1])
  })

  it('is compared with what the same model made, of the same length, and the rest is counted', async () => {
    await memory.remember('no vector')
    await memory.remember('another model', { embedding: { model: 'other', vector: encode(1, 0) } })
    await memory.remember('another length', meaning(1, 0, 0))
    const same = await memory.remember('the same', meaning(1, 0))
    const found = await recall('x', 1, 0)
    expect(found.meaning).toEqual({ count: 1, without: 3 })
    expect(found.matches.map(({ id }) => id)).toEqual([same.id])
  })

  it('is not asked where there is no vector: words find alone, and that is said', async () => {
    await memory.remember('Tea.', meaning(1, 0))
    for (const more of [{}, { embedding: { model, vector: null } }]) {
      const found = await memory.call('recall', { query: 'tea', ...more })
      expect(found).toMatchObject({ count: 1, meaning: null, matches: [{ by: 'words' }] })
      expect(found.matches[0]?.similarity).toBeNull()
    }
    const { id } = await memory.remember('Milk.', { embedding: { model, vector: null } })
    expect((await recall('x', 1, 0)).meaning).toEqual({ count: 1, without: 1 })
    expect((await memory.call('show', { id })).entry.text).toBe('Milk.')
  })
})

describe('a vector', () => {
  const bytes = (length: number) => Buffer.alloc(length, 1).toString('base64')
  it.each<[string, string]>([
    ['nothing', ''],
    ['no whole number of floats', bytes(6)],
    ['not a number', encode(1, Number.NaN)],
    ['infinite', encode(Number.POSITIVE_INFINITY, 1)],
    ['infinite, below', encode(1, Number.NEGATIVE_INFINITY)],
    ['without a direction', encode(0, 0)],
    ['beyond what is compared', bytes(16_500)],
    ['no base64', '!!!!'],
    ['base64 with something between', `${encode(1, 0).slice(0, 4)}\n${encode(1, 0).slice(4)}`],
    ['base64 of the other alphabet', encode(-1, 1.7e38).replaceAll('/', '_')],
  ])('that is %s is refused, when it is kept and when it is asked', async (_name, vector) => {
    const embedding = { model, vector }
    const keeping = await failureOf(memory.call('remember', { text: 'x', embedding }))
    expect([keeping.code, keeping.retry]).toEqual(['INVALID_INPUT', 'final'])
    const asking = await failureOf(memory.call('recall', { query: 'x', embedding }))
    expect([asking.code, asking.retry]).toEqual(['INVALID_INPUT', 'final'])
    expect(await memory.texts()).toEqual([])
    expect(memory.raw()).toHaveLength(0)
  })

  it('may have as many numbers as a model of ours gives, and no more', () => {
    const longest = encode(...Array.from({ length: maxDimensions }, () => 0.5))
    expect(parseVector(model, longest).values).toHaveLength(maxDimensions)
    const { input } = manifest.actions.remember
    const args = { text: 'x', embedding: { model, vector: longest } }
    expect(input.safeParse(args).success).toBe(true)
    const answer = { dimensions: maxDimensions, vectors: [longest], model, usage: usage() }
    expect(models.actions.embed.output.safeParse(answer).success).toBe(true)
  })

  it('is near in numbers from 0.4 to 1, whatever is in it, and what is further away is not told', () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      ...{ minLength: 1, maxLength: 8 },
    })
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        fc.pre([one, other].every((all) => all.some((value) => value !== 0)))
        const index = createVectorIndex()
        index.add('a', parseVector(model, encode(...one)))
        const near = index.nearest(parseVector(model, encode(...other)), {
          ...{ among: ['a'], limit: 1 },
        })
        expect(near.count + near.without).toBeLessThanOrEqual(1)
        for (const { similarity } of near.matches) {
          expect(similarity).toBeGreaterThanOrEqual(0.4)
          expect(similarity).toBeLessThanOrEqual(1)
        }
        const itself = index.nearest(parseVector(model, encode(...one)), {
          ...{ among: ['a'], limit: 1 },
        })
        expect(itself.matches[0]?.similarity).toBeCloseTo(1, 4)
      }),
    )
  })

  it('is bounded with all others, and what is beyond is not kept', () => {
    const keeping = openMemory(memory.folder, { mostVectorBytes: 16 })
    const entry = (vector: string): Entry => ({
      ...{ kind: 'fact', text: 'x', label: 'UNTRUSTED', source: null, remembered: now },
      ...{ expires: null, embedding: { model, vector } },
    })
    const keep = (name: string, vector: string) =>
      keeping.remember(idOf(name), { entry: entry(vector), dryRun: false })
    keep('a', encode(1, 0))
    keep('b', encode(0, 1))
    expect(() => keep('c', encode(1, 1))).toThrow('vectors of more than 16 bytes')
    const forgetting = { by: idOf('f'), now, dryRun: false }
    expect(keeping.forget(idOf('a'), forgetting)).toMatchObject({ there: true })
    expect(keep('c', encode(1, 1)).entries).toBe(1)
  })
})

describe('forgetting', () => {
  it('takes the vector with the entry, at once and for who opens the files anew', async () => {
    const vector = encode(0.123, 0.456)
    const { id } = await memory.remember('The spare key.', { embedding: { model, vector } })
    expect((await recall('x', 0.123, 0.456)).matches.map((one) => one.id)).toEqual([id])
    await memory.call('forget', { id })
    expect(await recall('x', 0.123, 0.456)).toMatchObject({
      ...{ count: 0, meaning: { count: 0, without: 0 }, matches: [] },
    })
    const anew = openMemory(memory.folder)
    expect(anew.look(now, ({ vectors }) => vectors.bytes)).toBe(0)
  })

  it('leaves no vector in clear in any file, before or after', async () => {
    const vector = encode(...Array.from({ length: 64 }, (_, at) => at + 0.25))
    const { id } = await memory.remember('The spare key.', { embedding: { model, vector } })
    const isThere = () =>
      [vector, model, Buffer.from(vector, 'base64')].map((what) => memory.raw().includes(what))
    expect(isThere()).toEqual([false, false, false])
    await memory.call('forget', { id })
    expect(isThere()).toEqual([false, false, false])
  })

  it('of what has expired, too, and of what is taken back', async () => {
    const expires = new Date(now + dayMs).toISOString()
    await memory.remember('For a day.', { ...meaning(1, 0), expires })
    const { idem } = await memory.remember('Taken back.', meaning(1, 0))
    await memory.call('retract', { entry: idemOf(idem) })
    const args = { query: 'x', ...meaning(1, 0) }
    expect((await memory.call('recall', args)).meaning).toEqual({ count: 1, without: 0 })
    const later = await memory.call('recall', args, { at: now + dayMs })
    expect(later).toMatchObject({ meaning: { count: 0, without: 0 }, expired: 1, matches: [] })
  })
})

describe('the two ways together', () => {
  it('lose nothing that one of them found, up to the limit, and name each entry once', () => {
    const ids = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd', 'e', 'f'))
    fc.assert(
      fc.property(ids, ids, fc.nat(8), (worded, alike, limit) => {
        const matches = worded.map((id) => ({ id, snippet: `of ${id}` }))
        const words = { count: worded.length, words: 'all', matches } as const
        const near = alike.map((id) => ({ id, similarity: 0.5 }))
        const fused = fuse(words, { count: alike.length, without: 0, matches: near }, limit)
        const all = new Set([...worded, ...alike])
        expect(fused).toHaveLength(Math.min(limit, all.size))
        expect(new Set(fused.map(({ id }) => id)).size).toBe(fused.length)
        for (const { id, by } of fused) {
          const ways = [worded.includes(id), alike.includes(id)]
          expect(by).toBe(ways[0] && ways[1] ? 'both' : ways[0] ? 'words' : 'meaning')
        }
      }),
    )
  })
})

const usage = () => ({ inputTokens: 1, outputTokens: 0, costMicroUsd: 0 })
