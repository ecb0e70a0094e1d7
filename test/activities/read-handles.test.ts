// Earlier results on the worker's side: found by the plan's pins, and held to them. The notary asks again; what
// is caught here never leaves the worker.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type ArtifactMeta,
  type ArtifactStore,
  openArtifactStore,
} from '../../activities/artifacts.ts'
import { createDocumentStore } from '../../activities/documents.ts'
import { AttemptFailure } from '../../activities/failure.ts'
import { compileWithHandles, readHandles } from '../../activities/read-handles.ts'
import type { AdmitReply } from '../../notary/contract.ts'
import type { PinnedHandle } from '../../plan/handle.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

const handle = 'r-1/look/0'
const pin: PinnedHandle = {
  ...{ agent: 'desk', action: 'look', rerun: 0, hash: 'A'.repeat(43) },
  ...{ readers: ['user:owner'], agents: [] },
}
const stored: ArtifactMeta = {
  ...{ kind: 'result', requestId: 'r-1', step: 'look', iteration: 0, createdAt: 0 },
  ...{ readers: ['user:owner'], resultHash: pin.hash },
}
const planWith = (handles: CompiledPlan['handles']): CompiledPlan => ({
  ...{ version: 1, goal: 'a test', inputs: {}, steps: [], answer: { from: [] } },
  ...(handles === undefined ? {} : { handles }),
})

let folder: string
let artifacts: ArtifactStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-handles-'))
  const key = Buffer.alloc(32, 9)
  artifacts = await openArtifactStore({ folder, key, sealing: oneKey(key) })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const read = (plan: CompiledPlan = planWith({ [handle]: pin })) =>
  readHandles({ plan, readers: ['user:owner'] }, ['own', handle], {
    ...{ artifacts, documents: createDocumentStore(artifacts) },
  })
const keep = (change: Partial<ArtifactMeta> = {}) =>
  artifacts.put(Buffer.from('{"title":"x"}'), { ...stored, ...change })
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: unknown) => (error instanceof AttemptFailure ? error.type : String(error)),
  )

describe('an earlier result in the store', () => {
  it('is read by its name and given as a source of that name', async () => {
    await keep()
    const content = '{"title":"x"}'
    expect(await read()).toEqual([
      { step: handle, iteration: 0, hash: pin.hash, content, value: { title: 'x' } },
    ])
  })

  it('is looked for in the rerun that was pinned', async () => {
    await keep()
    const plan = planWith({ [handle]: { ...pin, rerun: 2 } })
    expect(await failureOf(read(plan))).toBe('ARTIFACT_MISSING')
    await keep({ rerun: 2 })
    expect(await read(plan)).toHaveLength(1)
  })

  it.each<[string, string, Partial<ArtifactMeta>]>([
    ['ARTIFACT_MISSING', 'is there no more', { step: 'other' }],
    ['PLAN_MISMATCH', 'is not the one that was pinned', { resultHash: 'B'.repeat(43) }],
    ['PLAN_MISMATCH', 'is for somebody else to read', { readers: ['user:anna'] }],
    ['PLAN_MISMATCH', 'is for nobody to read', { readers: [] }],
  ])('comes to %s where it %s', async (type, _, change) => {
    await keep(change)
    expect(await failureOf(read())).toBe(type)
  })

  it('comes to PLAN_MISMATCH where the plan has pinned none', async () => {
    await keep()
    expect(await failureOf(read(planWith(undefined)))).toBe('PLAN_MISMATCH')
  })
})

describe('compiling with earlier results', () => {
  const compile = (lookUp: (name: string) => PinnedHandle | undefined) => lookUp(handle)?.hash
  const asking = (reply: AdmitReply) => ({ admit: () => Promise.resolve(reply) })

  it('asks the notary for those that the plan names, once', async () => {
    const calls: unknown[] = []
    const admit = (call: unknown) => {
      calls.push(call)
      return Promise.resolve({ status: 'HANDLES', handles: { [handle]: pin } } as const)
    }
    expect(await compileWithHandles(compile, 'r-2', { admit })).toBe(pin.hash)
    expect(calls).toEqual([{ requestId: 'r-2', handles: [handle] }])
  })

  it('asks nobody where the plan names none', async () => {
    const admit = () => Promise.reject(new Error('nothing is to be asked'))
    expect(await compileWithHandles(() => 'compiled', 'r-2', { admit })).toBe('compiled')
  })

  it('has nothing of what the notary does not tell', async () => {
    const none = asking({ status: 'HANDLES', handles: {} })
    expect(await compileWithHandles(compile, 'r-2', none)).toBeUndefined()
    const refused = asking({ status: 'REFUSED', code: 'MALFORMED', message: '' })
    expect(await compileWithHandles(compile, 'r-2', refused)).toBeUndefined()
  })

  it('is tried again later where the notary cannot say', async () => {
    const out = asking({ status: 'REFUSED', code: 'AUDIT_UNAVAILABLE', message: '' })
    expect(await failureOf(compileWithHandles(compile, 'r-2', out))).toBe('NOTARY_UNAVAILABLE')
  })
})
