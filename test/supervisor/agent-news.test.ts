// What the worker tells of its retriever: the last that it said, and nothing that is no such message.

import { expect, it } from 'vitest'
import { createAgentNews } from '../../supervisor/agent-news.ts'

type Handler = (call: {
  subject: string
  payload: unknown
  correlationId: string
}) => Promise<unknown>

it('knows what the retriever last counted, and drops what is no count', async () => {
  const handlers = new Map<string, Handler>()
  const logger = { warn: () => undefined } as never
  const options = { replicas: [], catalogue: new Map(), journal: { logger } }
  const news = createAgentNews({ ...options, notary: () => undefined })
  news.serve({ serve: (subject, handler) => void handlers.set(subject, handler) })
  const tell = (payload: unknown) =>
    handlers.get('supervisor.retriever')?.({ subject: '', payload, correlationId: '' })
  expect(news.retriever()).toBeUndefined()
  await tell({ hits: 6, misses: 2 })
  expect(news.retriever()).toEqual({ hits: 6, misses: 2 })
  for (const payload of [null, {}, { hits: -1, misses: 0 }, { hits: 1, misses: 0, words: 'x' }]) {
    await tell(payload)
    expect(news.retriever()).toEqual({ hits: 6, misses: 2 })
  }
})
