// What a command believes of a conversation's turns: documents that this person put for this turn, and a
// yes that was said here to these very bytes.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetYes, hasSaidYes, rememberYes } from '../../cli/said-yes.ts'
import { readTurn, storeTurn } from '../../cli/turn-documents.ts'
import type { ArtifactGetReply } from '../../temporal/artifact-calls.ts'
import type { TurnDocument } from '../../temporal/turn-document.ts'

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-turns-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const plan = {
  is: 'plan',
  request: {
    kind: 'recipe',
    name: 'one-day',
    source: 'version: 1',
    inputs: { day: '2026-03-02' },
    priority: 'MEDIUM',
  },
} as const satisfies TurnDocument
const question: TurnDocument = {
  is: 'question',
  text: 'which one?',
  options: [
    { is: 'say', text: 'the first' },
    { is: 'run', recipe: 'one-day', inputs: { day: '2026-03-02', days: 2, all: true } },
    { is: 'like', text: 'move <event>' },
  ],
}

describe('a document of a turn', () => {
  const found = (more: object = {}) => ({
    getArtifact: async (): Promise<ArtifactGetReply> => ({
      status: 'FOUND',
      kind: 'turn',
      requestId: 't1',
      content: JSON.stringify(plan),
      ...more,
    }),
  })

  it('comes back as it was stored', async () => {
    let stored = ''
    const session = {
      putTurn: async (_: string, content: string) => {
        stored = content
        return { status: 'STORED', ref: 'r' } as const
      },
    }
    for (const document of [plan, question]) {
      expect(await storeTurn(session, 't1', document)).toBe('r')
      expect(await readTurn(found({ content: stored }), 't1', 'r')).toEqual(document)
    }
  })

  it('counts for no other turn, and nothing else counts as one', async () => {
    expect(await readTurn(found(), 't1', 'r')).toEqual(plan)
    for (const other of [
      { requestId: 't2' },
      { kind: 'answer' },
      { kind: 'request' },
      { content: '{}' },
      { content: 'no JSON' },
      { content: JSON.stringify({ ...plan, more: 1 }) },
    ]) {
      await expect(readTurn(found(other), 't1', 'r')).rejects.toThrow('of something else')
    }
    const refused = {
      getArtifact: async () => ({ status: 'REFUSED', code: 'NOT_PERMITTED' }) as const,
    }
    await expect(readTurn(refused, 't1', 'r')).rejects.toThrow('NOT_PERMITTED')
  })
})

describe('a yes', () => {
  it('is remembered for the turn and the plan that it was said to, until it is forgotten', () => {
    expect(hasSaidYes(state, 't1', plan)).toBe(false)
    rememberYes(state, 't1', plan)
    rememberYes(state, 't1', plan)
    expect(hasSaidYes(state, 't1', plan)).toBe(true)
    expect(readdirSync(join(state, 'cli', 'said-yes'))).toEqual(['t1'])
    expect(hasSaidYes(state, 't2', plan)).toBe(false)
    forgetYes(state, 't1')
    forgetYes(state, 't1')
    expect(hasSaidYes(state, 't1', plan)).toBe(false)
  })

  it('is to no other plan', () => {
    rememberYes(state, 't1', plan)
    const { request } = plan
    for (const other of [
      { ...request, source: 'version: 2' },
      { ...request, inputs: { day: '2026-03-03' } },
      { ...request, priority: 'CRITICAL' },
      { ...request, kind: 'text' },
    ] as const) {
      expect(hasSaidYes(state, 't1', { is: 'plan', request: other })).toBe(false)
    }
    writeFileSync(join(state, 'cli', 'said-yes', 't1'), '')
    expect(hasSaidYes(state, 't1', plan)).toBe(false)
  })

  it('is read from no other place', () => {
    for (const turnId of ['../witness.jsonl', '', '.', 'a/b']) {
      expect(() => hasSaidYes(state, turnId, plan)).toThrow('without an id')
      expect(() => rememberYes(state, turnId, plan)).toThrow('without an id')
    }
  })
})
