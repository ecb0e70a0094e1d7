// The retriever: whose findings these are, what becomes of a source that is slow or down, what is found by
// which words, what a cache keeps and what it must not.

import { describe, expect, it } from 'vitest'
import { createWordMatcher } from '../../activities/match-words.ts'
import {
  type Candidate,
  retrieve,
  type Source,
  type SourceAnswer,
} from '../../activities/retrieve.ts'
import { createCountedCache } from '../../activities/retrieve-cache.ts'
import type { Finding, RetrievalSource } from '../../activities/retrieve-contract.ts'

const owner = 'user:owner'
const asked = { user: owner, query: 'dentist', limit: 10 }
const longMs = 60_000

function candidate(name: string, more: { score?: number; readers?: string[] } = {}): Candidate {
  const { score = 1, readers = [owner] } = more
  const finding: Finding = {
    ...{ source: 'history', kind: 'run', name, title: '', text: '', at: null, status: null },
    ...{ answerRef: null, label: { integrity: 'UNTRUSTED', readers, provenance: [] } },
  }
  return { score, finding }
}

const answering = (...candidates: readonly Candidate[]): SourceAnswer => ({
  ...{ ok: true, candidates, looked: candidates.length, complete: true },
})
function source(
  name: RetrievalSource,
  find: (signal: AbortSignal) => Promise<SourceAnswer>,
  limitMs = longMs,
): Source {
  return { name, limitMs, find: (_asked, signal) => find(signal) }
}
const names = (findings: readonly Finding[]) => findings.map(({ name }) => name)

describe('findings', () => {
  it('are of the person who asks alone, whatever a source returns', async () => {
    const foreign = ['user:anna', 'user:owner2', 'owner', 'user:'].map((reader) =>
      candidate(reader, { readers: [reader] }),
    )
    const all = [...foreign, candidate('nobody’s', { readers: [] }), candidate('mine')]
    const { findings, sources } = await retrieve(asked, [
      source('history', async () => answering(...all)),
    ])
    expect(names(findings)).toEqual(['mine'])
    // Nor does a count tell of the others'.
    expect(sources[0]?.count).toBe(1)
  })

  it('of another person push nobody out of the limit', async () => {
    const anna = { readers: ['user:anna'] }
    const all = [candidate('a', anna), candidate('b', anna), candidate('mine')]
    const found = await retrieve({ ...asked, limit: 1 }, [
      source('history', async () => answering(...all)),
    ])
    expect(names(found.findings)).toEqual(['mine'])
  })

  it('have all of the words, and where none has, most of them first', async () => {
    const half = candidate('half', { score: 0.5 })
    const more = candidate('more', { score: 0.75 })
    const from = (...all: readonly Candidate[]) =>
      retrieve(asked, [source('history', async () => answering(...all))])
    expect(names((await from(half, candidate('all'), more)).findings)).toEqual(['all'])
    expect(names((await from(half, more)).findings)).toEqual(['more', 'half'])
  })

  it('keep the label that their source gave them', async () => {
    const { findings } = await retrieve(asked, [
      source('history', async () => answering(candidate('x'))),
    ])
    expect(findings[0]?.label).toEqual(candidate('x').finding.label)
  })
})

describe('a source', () => {
  const quick = source('configuration', async () => answering(candidate('there')))
  const silent = () => new Promise<SourceAnswer>(() => undefined)

  it('that never answers is reported as slow, beside what others found', async () => {
    const { findings, sources } = await retrieve(asked, [source('memory', silent, 1), quick], {
      graceMs: 1,
    })
    expect(names(findings)).toEqual(['there'])
    expect(sources).toMatchObject([
      { source: 'memory', status: 'SLOW', count: 0 },
      { source: 'configuration', status: 'ANSWERED', count: 1 },
    ])
  })

  it('that has found something when its time is over shows it, and is slow all the same', async () => {
    const partly = source(
      'history',
      (signal) =>
        new Promise((resolve) => {
          const candidates = [candidate('half-way')]
          signal.addEventListener('abort', () =>
            resolve({ ok: true, candidates, looked: 8, complete: false }),
          )
        }),
      1,
    )
    const { findings, sources } = await retrieve(asked, [partly], { graceMs: longMs })
    expect(names(findings)).toEqual(['half-way'])
    expect(sources).toMatchObject([{ status: 'SLOW', count: 1, looked: 8 }])
  })

  it('that gives up because its time is over has not failed', async () => {
    const givesUp = (signal: AbortSignal) =>
      new Promise<SourceAnswer>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('cancelled')))
      })
    const { sources } = await retrieve(asked, [source('history', givesUp, 1)], { graceMs: longMs })
    expect(sources).toMatchObject([{ status: 'SLOW', code: null }])
  })

  it('that is down is reported as down, beside what others found', async () => {
    const broken = source('history', async () => {
      throw new Error('no connection')
    })
    const throws: Source = {
      ...broken,
      name: 'memory',
      find: () => {
        throw new Error('at once')
      },
    }
    const { findings, sources } = await retrieve(asked, [broken, throws, quick])
    expect(names(findings)).toEqual(['there'])
    expect(sources).toMatchObject([
      { source: 'history', status: 'FAILED', code: 'UNAVAILABLE' },
      { source: 'memory', status: 'FAILED', code: 'UNAVAILABLE' },
      { source: 'configuration', status: 'ANSWERED' },
    ])
  })
})

describe('words', () => {
  it.each([
    ['zurich', 'We went to Zürich.', 1],
    ['DENT', 'the dentist', 1],
    ['dentist friday', 'a dentist', 0.5],
    ['ist', 'the dentist', 0],
    ['***', 'anything', 0],
    ['', 'anything', 0],
    ['東京', '東京タワー', 1],
  ])('%s in %s', (query, text, score) => {
    expect(createWordMatcher(query).score(text)).toBe(score)
  })

  it('are shown with what stands around the first of them', () => {
    const { excerpt } = createWordMatcher('needle')
    const text = `${'hay '.repeat(500)}needle ${'straw '.repeat(500)}`
    const shown = excerpt(text, 60)
    expect([...shown].length).toBeLessThanOrEqual(60)
    expect(shown).toMatch(/^….*needle.*…$/)
    expect(excerpt('a needle', 60)).toBe('a needle')
  })
})

describe('a cache', () => {
  const counted = (maxEntries: number, maxAgeMs = longMs) => {
    const clock = { now: 0 }
    const cache = createCountedCache<string>({ maxEntries, maxAgeMs, now: () => clock.now })
    const loaded: string[] = []
    const read = (key: string) =>
      cache.read(key, async () => {
        loaded.push(key)
        return key
      })
    return { clock, cache, loaded, read }
  }

  it('counts what it knew and what it did not', async () => {
    const { cache, read } = counted(10)
    for (const key of ['a', 'b', 'a', 'a']) expect(await read(key)).toBe(key)
    expect(cache.counts()).toEqual({ hits: 2, misses: 2 })
  })

  it('keeps as many as it may, and lets the least recently used go', async () => {
    const { loaded, read } = counted(2)
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await read(key)
    expect(loaded).toEqual(['a', 'b', 'c', 'b'])
  })

  it('keeps nothing longer than its age, however often it is used', async () => {
    const { clock, loaded, read } = counted(2, 100)
    for (const time of [0, 60, 99, 100]) {
      clock.now = time
      await read('a')
    }
    expect(loaded).toEqual(['a', 'a'])
  })

  it('does not keep a failure', async () => {
    const { cache, read } = counted(2)
    const failing = cache.read('a', async () => {
      throw new Error('down')
    })
    await expect(failing).rejects.toThrow('down')
    expect(await read('a')).toBe('a')
    expect(cache.counts()).toEqual({ hits: 0, misses: 2 })
  })
})
