// Earlier results as the notary sees them: what a worker brings for one is held to the receipt that it
// settled with, and what is known of it goes on from request to request.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { allowing } from '../support/flow-approval-plans.ts'
import { finding, following } from '../support/notary-handle-cases.ts'
import { createHarness, execute, type Harness } from './harness.ts'
import { codeOf } from './loops.ts'
import { append, items, list } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness({ decide: allowing })
})
afterEach(() => harness.close())

const handle = 'r-1/gather/0'

/** `r-1` has found something. */
async function found(titles = ['one', 'two'], requestId = 'r-1') {
  const run = await harness.run(finding, { requestId })
  const source = await run.perform('gather', list, items(titles))
  return { ...source, step: `${requestId}/gather/0` }
}

const pinsOf = async (requestId: string, handles: readonly string[]) => {
  const reply = await harness.notary.admit('worker', { requestId, handles })
  return reply.status === 'HANDLES' ? reply.handles : reply
}

describe('an earlier result that a step builds on', () => {
  it('is asked for by its name, and read from the bytes that its receipt hashes', async () => {
    const { content, ...named } = await found()
    // With nothing in memory.
    harness = await harness.restart()
    const run = await harness.run(following(), { requestId: 'r-2' })
    expect(await run.authorize('keep', append('one'), { sources: [named] })).toEqual({
      status: 'NEED_SOURCES',
      steps: [{ step: handle, iteration: 0 }],
    })
    const forged = { ...named, content: String(content).replace('one', 'sly') }
    const brought = { ...named, content: String(content) }
    expect(await codeOf(run.authorize('keep', append('sly'), { sources: [forged] }))).toBe(
      'SOURCE_MISMATCH',
    )
    expect(await codeOf(run.authorize('keep', append('sly'), { sources: [brought] }))).toBe(
      'ARGS_MISMATCH',
    )
    expect(await codeOf(run.authorize('keep', append('one'), { sources: [brought] }))).toBe(
      'AUTHORISED',
    )
  })

  it('is the one that was pinned and no other, and has to be named', async () => {
    await found()
    const other = await found(['three'], 'r-3')
    const run = await harness.run(following(), { requestId: 'r-2' })
    const swapped = { ...other, step: handle }
    expect(await codeOf(run.authorize('keep', append('three'), { sources: [swapped] }))).toBe(
      'SOURCE_MISMATCH',
    )
    expect(await codeOf(run.authorize('keep', append('one')))).toBe('SOURCE_MISSING')
  })

  it('cannot be named by a step of a plan that has not pinned it', async () => {
    const source = await found()
    const run = await harness.run(finding, { requestId: 'r-2' })
    const args = { day: 'one' }
    expect(await codeOf(run.authorize('gather', args, { sources: [source] }))).toBe('ARGS_MISMATCH')
  })

  it('is there for an undo too', async () => {
    const source = await found()
    const run = await harness.run(following(), { requestId: 'r-2' })
    const given = await run.token('keep', append('one'), { sources: [source] })
    const done = { status: 'DONE', value: { entry: 'e' } } as const
    await run.settle('keep', await execute(given, done, harness.keys.receipt))
    await harness.notary.cancel('cli', { requestId: 'r-2' })
    const retract = { note: 'daily', entry: given.idem, dryRun: false }
    const undo = { kind: 'undo' as const, sources: [source] }
    expect(await codeOf(run.authorize('keep', retract, undo))).toBe('AUTHORISED')
  })

  it('can be the list of a loop, and what one of its iterations returned', async () => {
    const source = await found()
    const looping = following().replace(
      "text: { $handle: 'r-1/gather/0', pointer: /first }, dryRun: false }",
      "text: { $item: /title, as: i }, dryRun: false }\n    forEach: { in: { $handle: 'r-1/gather/0', pointer: /items }, as: i, max: 5 }",
    )
    const run = await harness.run(looping, { requestId: 'r-2' })
    const { requestId, digest: planDigest } = run
    const address = { requestId, planDigest, kind: 'do', step: 'keep', iteration: 0 }
    const counted = { type: 'loop', ...address, sources: [source] }
    expect(await harness.notary.settle('worker', counted)).toMatchObject({ count: 2 })
    const second = { iteration: 1, sources: [source] }
    const given = await run.token('keep', append('two'), second)
    const done = { status: 'DONE', value: { entry: 'e-2' } } as const
    await run.settle('keep', await execute(given, done, harness.keys.receipt), { iteration: 1 })
    const pins = await pinsOf('r-1', ['r-2/keep/0', 'r-2/keep/1', 'r-2/keep/2'])
    expect(Object.keys(pins)).toEqual(['r-2/keep/1'])
  })
})

describe('what is known of an earlier result', () => {
  const inbox = `
version: 1
goal: look into the folder that was found
steps:
  - { id: inbox, agent: mail, action: list, args: { folder: { $handle: ${handle}, pointer: /first } } }
answer: { from: [inbox] }
`
  const message = { id: 'm-1', from: 'billing@evil.example', subject: 'x', text: 'y' }
  const messages = { first: message, messages: [message], count: 1 }

  async function listed() {
    const source = await found()
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
    const run = await harness.run(inbox, { requestId: 'r-2' })
    return run.perform('inbox', { folder: 'one' }, messages, [source])
  }

  it('goes on with the results that were made of it', async () => {
    await listed()
    expect(await pinsOf('r-1', [handle, 'r-2/inbox/0'])).toMatchObject({
      [handle]: { agent: 'desk', action: 'list', readers: 'PUBLIC', agents: [] },
      'r-2/inbox/0': { agent: 'mail', readers: ['user:owner'], agents: ['desk'] },
    })
  })

  it('refuses an address from third-party mail as a recipient, however long ago it came', async () => {
    await listed()
    const answering = `
version: 1
goal: answer whoever wrote last
steps:
  - id: answer
    agent: mail
    action: send
    args: { to: [{ $handle: r-2/inbox/0, pointer: /first/from }], subject: Re, body: The account is 1234 }
answer: { from: [answer] }
`
    const call = { requestId: 'r-4', kind: 'plan', name: 'answer', source: answering, inputs: {} }
    const reply = await harness.notary.request('cli', { ...call, priority: 'MEDIUM' })
    expect(reply).toMatchObject({ status: 'REFUSED', code: 'PLAN_INVALID' })
    const [issue] = reply.status === 'REFUSED' ? (reply.issues ?? []) : []
    expect(issue).toMatchObject({
      ...{ code: 'FLOW_R1', path: '/steps/0/args/to/0', source: 'r-2/inbox/0' },
      message: expect.stringContaining('r-2/inbox/0#/first/from'),
    })
  })

  it('is no standing registration: a schedule that builds on one is refused', async () => {
    await found()
    const schedule = {
      ...{ op: 'add', id: 'mine', kind: 'plan', name: 'mine', source: following(), inputs: {} },
      ...{ priority: 'MEDIUM', note: '' },
      policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
    }
    const spec = toScheduleSpec({ at: '07:00', zone: 'Europe/Vienna' })
    expect(await harness.notary.schedule('cli', { ...schedule, spec })).toMatchObject({
      code: 'PLAN_INVALID',
      issues: [{ code: 'UNKNOWN_HANDLE' }],
    })
  })
})
