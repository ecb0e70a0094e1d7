// The two activities with names of their own: what a registered request compiles to, and what a
// person gets to read.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../activities/artifacts.ts'
import { type CompileDeps, compilePlan } from '../../activities/compile-plan.ts'
import { composeAnswer, toInertText } from '../../activities/compose-answer.ts'
import { AttemptFailure, toApplicationFailure } from '../../activities/failure.ts'
import { createPlanStore } from '../../activities/plan-store.ts'
import type { AdmitReply } from '../../notary/contract.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { catalogue } from '../notary/catalogue.ts'
import { fakeCatalogue } from '../support/fake-catalogue.ts'
import { toMyself } from '../support/mail-to-oneself.ts'
import { decide } from '../support/policy.ts'

const source = `
version: 1
goal: read the calendar
steps:
  - id: read
    agent: calendar
    action: list
    args: { calendar: work }
answer: { from: [read], template: "{{#read}}{{#events}}{{summary}}; {{/events}}{{/read}}" }
`
const requestId = 'req-1'

let folder: string
let artifacts: ArtifactStore
let deps: CompileDeps
let admit: (plan: unknown) => AdmitReply
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-compile-'))
  artifacts = await openArtifactStore({
    folder,
    key: Buffer.alloc(32, 9),
    sealing: oneKey(Buffer.alloc(32, 9)),
  })
  admit = (plan) => ({ status: 'ADMITTED', digest: digestOf(plan), user: 'user:owner' })
  const unused = () => Promise.reject(new Error('not part of this hop'))
  deps = {
    artifacts,
    notary: {
      admit: async (call) => admit('plan' in call ? call.plan : undefined),
      authorize: unused,
      settle: unused,
    },
    catalogue: fakeCatalogue,
    decide,
    now: () => 1,
  }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const putRequest = (
  content: unknown,
  more: { kind?: 'request' | 'plan'; id?: string; reader?: string } = {},
) =>
  artifacts.put(Buffer.from(JSON.stringify(content)), {
    kind: more.kind ?? 'request',
    requestId: more.id ?? requestId,
    readers: [more.reader ?? 'user:owner'],
    createdAt: 1,
  })
const document = { kind: 'plan', name: 'today', source, inputs: {} }
const compile = async (requestRef: string) => compilePlan({ requestId, requestRef }, deps)
const typeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AttemptFailure ? error.type : error),
  )

describe('compiling a firing of a schedule', () => {
  const at = Date.parse('2026-05-01T22:30:00Z')
  const firing = { schedule: 'look', at, zone: 'Europe/Vienna' }
  const compileFiring = (requestRef: string) =>
    compilePlan({ requestId: 'sched:look:2026-05-01t22:30:00z', requestRef, firing }, deps)

  it('means by today the day on which it was due', async () => {
    const dated = source.replace('goal:', 'inputs: { day: { type: date, default: today } }\ngoal:')
    const stored = await putRequest({ ...document, source: dated }, { id: 'standing:look' })
    let inputs: unknown
    admit = (plan) => {
      inputs = (plan as CompiledPlan).inputs
      return { status: 'ADMITTED', digest: digestOf(plan), user: 'user:owner' }
    }
    expect(await compileFiring(stored)).toMatchObject({ status: 'ADMITTED' })
    expect(inputs).toEqual({ day: '2026-05-02' })
  })

  it('takes the document of its own schedule only', async () => {
    const others = await putRequest(document, { id: 'standing:other' })
    expect(await typeOf(compileFiring(others))).toBe('PLAN_MISMATCH')
    const requests = await putRequest(document)
    expect(await typeOf(compileFiring(requests))).toBe('PLAN_MISMATCH')
  })

  it('is denied with what the notary says of it', async () => {
    admit = () => ({ status: 'REFUSED', code: 'FIRING_MISSED', message: 'too late' })
    const stored = await putRequest(document, { id: 'standing:look' })
    expect(await compileFiring(stored)).toEqual({ status: 'DENIED', code: 'FIRING_MISSED' })
  })
})

describe('compiling a request', () => {
  it('means by the own addresses those of who asked', async () => {
    const people = { owner: ['me@home.example'], anna: ['anna@home.example'] }
    const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
    deps = { ...deps, catalogue, decide, names: { people, places: {} } }
    const content = { ...document, source: toMyself }
    expect(await compile(await putRequest(content))).toMatchObject({ status: 'ADMITTED' })
    const annas = await putRequest(content, { reader: 'user:anna' })
    expect(await compile(annas)).toMatchObject({ status: 'DENIED', code: 'FLOW_R2' })
  })

  it('gives the workflow a skeleton without a single literal, and stores the plan', async () => {
    const outcome = await compile(await putRequest(document))
    if (outcome.status !== 'ADMITTED') throw new Error(outcome.status)
    expect(outcome.skeleton.steps).toMatchObject([{ id: 'read', type: 'calendar.list' }])
    expect(JSON.stringify(outcome)).not.toContain('work')
    const { bytes, meta } = await artifacts.get(outcome.skeleton.planRef)
    expect(meta).toMatchObject({ kind: 'plan', requestId, readers: ['user:owner'] })
    const plan: unknown = JSON.parse(Buffer.from(bytes).toString())
    expect(digestOf(plan)).toBe(outcome.skeleton.digest)
  })

  it('comes to the same reference when it is done again', async () => {
    const requestRef = await putRequest(document)
    expect(await compile(requestRef)).toEqual(await compile(requestRef))
  })

  it('is invalid with the code of the first issue, before the notary is asked', async () => {
    admit = () => {
      throw new Error('asked')
    }
    const broken = source.replace('action: list', 'action: burn')
    expect(await compile(await putRequest({ ...document, source: broken }))).toEqual({
      status: 'INVALID',
      code: 'UNKNOWN_ACTION',
    })
    expect(await compile(await putRequest({ ...document, inputs: [] }))).toMatchObject({
      code: 'INVALID_SHAPE',
    })
  })

  it('is denied with the notary’s code', async () => {
    admit = () => ({ status: 'REFUSED', code: 'UNKNOWN_REQUEST', message: '' })
    expect(await compile(await putRequest(document))).toEqual({
      status: 'DENIED',
      code: 'UNKNOWN_REQUEST',
    })
  })

  it('is tried again when the notary cannot record', async () => {
    admit = () => ({ status: 'REFUSED', code: 'AUDIT_UNAVAILABLE', message: '' })
    expect(await typeOf(compile(await putRequest(document)))).toBe('NOTARY_UNAVAILABLE')
  })

  it('runs no plan but the one that the notary admitted', async () => {
    admit = () => ({ status: 'ADMITTED', digest: 'x'.repeat(43), user: 'user:owner' })
    expect(await typeOf(compile(await putRequest(document)))).toBe('PLAN_MISMATCH')
  })

  it('takes no other artifact for the request, and not the request of another run', async () => {
    const plan = await putRequest(document, { kind: 'plan' })
    expect(await typeOf(compile(plan))).toBe('PLAN_MISMATCH')
    const other = await putRequest(document, { id: 'req-2' })
    expect(await typeOf(compile(other))).toBe('PLAN_MISMATCH')
  })
})

describe('a plan that a person decides on', () => {
  it('waits for them, and is compiled and asked for again', async () => {
    const approval = { id: 'apr1', expiresAt: 5_000 }
    admit = () => ({ status: 'APPROVAL', ...approval })
    const stored = await putRequest(document)
    expect(await compile(stored)).toEqual({ status: 'WAITING', approval })
    admit = (plan) => ({ status: 'ADMITTED', digest: digestOf(plan), user: 'user:owner' })
    expect(await compile(stored)).toMatchObject({ status: 'ADMITTED' })
  })
})

describe('composing the answer', () => {
  const compose = async (
    events: readonly { summary: string }[],
    { step = 'read', run = requestId } = {},
  ) => {
    const compiled = await compile(await putRequest(document))
    if (compiled.status !== 'ADMITTED') throw new Error(compiled.status)
    const ref = await artifacts.put(Buffer.from(canonicalJson({ count: 1, events })), {
      kind: 'result',
      requestId: run,
      step,
      iteration: 0,
      readers: ['user:owner'],
      createdAt: 1,
    })
    const { planRef } = compiled.skeleton
    const sources = [{ step: 'read', iteration: 0, ref }]
    const plans = createPlanStore(artifacts)
    const { answerRef, isEmpty } = await composeAnswer(
      { requestId, planRef, sources },
      { artifacts, plans, now: () => 1 },
    )
    expect(isEmpty).toBe(events.length === 0 ? true : undefined)
    const { bytes, meta } = await artifacts.get(answerRef)
    expect(meta).toMatchObject({ kind: 'answer', requestId, readers: ['user:owner'] })
    return Buffer.from(bytes).toString()
  }

  it('renders the template over the results it names', async () => {
    expect(await compose([{ summary: 'Dentist' }, { summary: 'Choir' }])).toBe('Dentist; Choir; ')
  })

  it('says so when nothing of it can be seen', async () => {
    expect(await compose([])).toBe('')
  })

  it('leaves nothing that could act on a terminal or turn the text around', async () => {
    const hostile = 'a\u001b[2Jb\u009bc\u202ed\u2066e\rf\u0000'
    expect(await compose([{ summary: hostile }])).toBe('a[2Jbcdef; ')
    expect(toInertText('line\r\nnext\ttab \u{1f469}\u200d\u{1f680}')).toBe(
      'line\nnext\ttab \u{1f469}\u200d\u{1f680}',
    )
    expect(toInertText('x'.repeat(300_000)).length).toBeLessThan(263_000)
  })

  it('takes no other step’s result, and none of another run', async () => {
    expect(await typeOf(compose([], { step: 'write' }))).toBe('PLAN_MISMATCH')
    expect(await typeOf(compose([], { run: 'req-2' }))).toBe('PLAN_MISMATCH')
  })
})

describe('failures', () => {
  it('become Temporal’s with a type, and without the text of a bug', () => {
    const failure = toApplicationFailure(new Error('Dentist on Harley Street'))
    expect(failure).toMatchObject({ type: 'INTERNAL', nonRetryable: false })
    expect(`${failure.message}${failure.stack}`).not.toContain('Dentist')
    expect(toApplicationFailure(new AttemptFailure('NOT_PERMITTED'))).toMatchObject({
      type: 'NOT_PERMITTED',
      nonRetryable: true,
    })
    expect(toApplicationFailure(new AttemptFailure('IN_PROGRESS')).nextRetryDelay).toBe(5_000)
  })

  it('of the plan store name a plan that is not there', async () => {
    const plans = createPlanStore(artifacts)
    const plan: CompiledPlan = {
      version: 1,
      goal: '',
      inputs: {},
      steps: [],
      answer: { from: [] },
    }
    const planRef = await putRequest(plan, { kind: 'plan' })
    expect(await typeOf(plans.load({ planRef, requestId: 'req-2' }))).toBe('PLAN_MISMATCH')
    expect(await typeOf(plans.load({ planRef, requestId, digest: 'x' }))).toBe('PLAN_MISMATCH')
    expect((await plans.load({ planRef, requestId })).plan.goal).toBe('')
  })
})
