// Who may read and store what through the worker's artifact service.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArtifactStore } from '../../activities/artifacts.ts'
import {
  type ArtifactServiceDeps,
  getArtifact,
  putArtifact,
  userOf,
} from '../../temporal/artifact-service.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

let folder: string
let deps: ArtifactServiceDeps
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-service-'))
  const artifacts = await openArtifactStore({
    folder,
    key: Buffer.alloc(32, 3),
    sealing: oneKey(Buffer.alloc(32, 3)),
  })
  deps = { artifacts, now: () => 1 }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const owner = 'user:owner'
const put = { kind: 'request', requestId: 'r1', content: '{}' }
const answer = (readers: string[]) =>
  deps.artifacts.put(Buffer.from('Good morning'), {
    kind: 'answer',
    requestId: 'r1',
    readers,
    createdAt: 1,
  })

describe('artifact service', () => {
  it('knows an entry point by the account the server mapped, and nobody else', () => {
    expect(userOf('worker.artifact.get.cli')).toBe(owner)
    expect(userOf('worker.artifact.get.console')).toBe(owner)
    expect(userOf('worker.artifact.get.cli-anna')).toBe('user:anna')
    const strangers = ['ingress', 'notary', 'agent_notes_0', '', 'constructor']
    for (const account of [...strangers, 'cli-', 'cli-owner', 'cli-Anna', 'acli-anna', 'cli-a.b']) {
      expect(userOf(`worker.artifact.get.${account}`)).toBeUndefined()
    }
  })

  it('stores a request for its user, once', async () => {
    const first = await putArtifact(owner, put, deps)
    expect(first).toMatchObject({ status: 'STORED' })
    expect(await putArtifact(owner, put, deps)).toEqual(first)
    const ref = first.status === 'STORED' ? first.ref : ''
    expect(await getArtifact(owner, { ref }, deps)).toEqual({
      status: 'FOUND',
      kind: 'request',
      requestId: 'r1',
      content: '{}',
    })
  })

  it('lets an entry point store nothing but requests and turns', async () => {
    for (const kind of ['plan', 'result', 'effect', 'answer']) {
      expect(await putArtifact(owner, { ...put, kind }, deps)).toMatchObject({ code: 'MALFORMED' })
    }
    expect(await putArtifact(owner, { ...put, requestId: '../x' }, deps)).toMatchObject({
      code: 'MALFORMED',
    })
  })

  it('gives an artifact to its readers only', async () => {
    const own = await answer([owner])
    expect(await getArtifact(owner, { ref: own }, deps)).toMatchObject({ content: 'Good morning' })
    for (const readers of [[], ['user:guest'], ['user:owner2']]) {
      const ref = await answer(readers)
      expect(await getArtifact(owner, { ref }, deps)).toMatchObject({ code: 'NOT_PERMITTED' })
    }
  })

  it('gives it to who may look at what its reader asked, and to nobody by chance', async () => {
    const ref = await answer(['user:anna'])
    const house = { ...deps, sees: { ben: ['anna'], anna: ['owner'] } }
    expect(await getArtifact('user:ben', { ref }, house)).toMatchObject({ status: 'FOUND' })
    for (const user of [owner, 'user:zoe', 'user:constructor', 'user:']) {
      expect(await getArtifact(user, { ref }, house)).toMatchObject({ code: 'NOT_PERMITTED' })
    }
  })

  describe('of a turn of a conversation', () => {
    const document = { is: 'said', words: 'what is on', at: '2026-03-01T09:30', zone: 'UTC' }
    const turn = { kind: 'turn', requestId: 't1', content: JSON.stringify(document) }

    it('keeps it for who said it, once', async () => {
      const stored = await putArtifact('user:anna', turn, deps)
      expect(await putArtifact('user:anna', turn, deps)).toEqual(stored)
      const ref = stored.status === 'STORED' ? stored.ref : ''
      expect(await getArtifact('user:anna', { ref }, deps)).toEqual({
        status: 'FOUND',
        kind: 'turn',
        requestId: 't1',
        content: turn.content,
      })
    })

    it('gives it to nobody else, also not to who may look at what she asked', async () => {
      const stored = await putArtifact('user:anna', turn, deps)
      const ref = stored.status === 'STORED' ? stored.ref : ''
      const house = { ...deps, sees: { ben: ['anna'], owner: ['anna'] } }
      for (const user of [owner, 'user:ben', 'user:zoe', undefined]) {
        expect(await getArtifact(user, { ref }, house)).toMatchObject({ code: 'NOT_PERMITTED' })
      }
      // Whoever says the same has said it themselves.
      const bens = await putArtifact('user:ben', turn, deps)
      expect(bens.status === 'STORED' && bens.ref !== ref).toBe(true)
    })

    it('keeps nothing that is no turn', async () => {
      const contents = [
        '',
        '{}',
        '{',
        JSON.stringify({ ...document, more: 1 }),
        JSON.stringify({ ...document, at: 'tomorrow' }),
        JSON.stringify({ is: 'yes' }),
        JSON.stringify({ is: 'refusal', reason: 'OTHER', text: '' }),
      ]
      for (const content of contents) {
        const reply = await putArtifact(owner, { ...turn, content }, deps)
        expect(reply, content).toMatchObject({ code: 'MALFORMED' })
      }
    })
  })

  it('refuses an account without a user', async () => {
    const ref = await answer([owner])
    expect(await getArtifact(undefined, { ref }, deps)).toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await getArtifact(undefined, {}, deps)).toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await putArtifact(undefined, put, deps)).toMatchObject({ code: 'NOT_PERMITTED' })
  })

  it('answers a wrong reference, a missing one and a wrong shape with codes of their own', async () => {
    expect(await getArtifact(owner, { ref: '../key' }, deps)).toMatchObject({ code: 'MALFORMED' })
    expect(await getArtifact(owner, { ref: 'a'.repeat(64) }, deps)).toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await getArtifact(owner, { ref: 1 }, deps)).toMatchObject({ code: 'MALFORMED' })
  })
})
