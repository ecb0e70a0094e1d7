// Who may ask the retriever over the bus, in which shape, and how many at once.

import { describe, expect, it } from 'vitest'
import type { Source } from '../../activities/retrieve.ts'
import { retrievalSources } from '../../activities/retrieve-contract.ts'
import { createRetriever } from '../../temporal/retrieve-service.ts'
import { createHeld } from '../support/held.ts'

const call = { query: 'dentist', sources: ['history'], limit: 5 }
const nothing = { ok: true, candidates: [], looked: 0, complete: true } as const

function retriever(find: Source['find'] = async () => nothing) {
  const sources = retrievalSources.map((name) => ({ name, limitMs: 60_000, find }))
  const counts = { hits: 3, misses: 1 }
  return createRetriever({ sources, caches: [{ counts: () => counts }, { counts: () => counts }] })
}

describe('the retriever on the bus', () => {
  it('answers a person, source by source, with what the caches have counted', async () => {
    const asked: unknown[] = []
    const answer = retriever(async (given) => {
      asked.push(given)
      return nothing
    })
    const sources = ['configuration', 'memory']
    const reply = await answer('user:anna', { ...call, sources, memory: { requestId: 'm-1' } })
    expect(reply).toMatchObject({ status: 'FOUND', findings: [], cache: { hits: 6, misses: 2 } })
    expect(reply.status === 'FOUND' && reply.sources.map(({ source }) => source)).toEqual(sources)
    const given = { user: 'user:anna', query: 'dentist', memoryRun: 'm-1' }
    expect(asked).toMatchObject([given, given])
  })

  it('refuses an account that is nobody’s', async () => {
    const refused = { status: 'REFUSED', code: 'NOT_PERMITTED' }
    expect(await retriever()(undefined, call)).toEqual(refused)
  })

  it.each([
    {},
    { ...call, user: 'user:owner' },
    { ...call, query: '' },
    { ...call, query: 'x'.repeat(501) },
    { ...call, sources: [] },
    { ...call, sources: ['history', 'history'] },
    { ...call, sources: ['audit'] },
    { ...call, limit: 51 },
    { ...call, memory: { requestId: '../x' } },
  ])('refuses what is no call: %j', async (payload) => {
    const refused = { status: 'REFUSED', code: 'MALFORMED' }
    expect(await retriever()('user:owner', payload)).toEqual(refused)
  })

  it('looks for four at once, and for others when one of them is over', async () => {
    const held = createHeld()
    const answer = retriever(async () => {
      await held.until
      return nothing
    })
    const four = Promise.all([1, 2, 3, 4].map(() => answer('user:owner', call)))
    expect(await answer('user:owner', call)).toEqual({ status: 'REFUSED', code: 'BUSY' })
    held.release()
    expect((await four).map(({ status }) => status)).toEqual(Array(4).fill('FOUND'))
    expect(await answer('user:owner', call)).toMatchObject({ status: 'FOUND' })
  })
})
