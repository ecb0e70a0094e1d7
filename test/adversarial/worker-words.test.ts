// W: a compromised worker, with its real credentials, and a person's words. The worker is who brings what a
// planner proposes, so that it can propose whatever it likes: what it gets for that, and what it does not.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileProposal } from '../../plan/compile-proposal.ts'
import { proposalOf } from '../notary/proposals.ts'
import { startDeployment, stubParty, type TestDeployment } from '../support/deployment.ts'
import { from } from '../support/flow-case.ts'
import { decide } from '../support/policy.ts'
import { createWorkerDouble, type WorkerDouble } from '../support/worker-double.ts'

const words = 'Keep hello in my note greetings.'

let deployment: TestDeployment
let double: WorkerDouble
beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample', workerEntry: stubParty })
  double = await createWorkerDouble(deployment.state)
}, 240_000)
afterAll(async () => {
  await double?.close()
  await deployment?.stop()
})

const append = (note: string, text: unknown = 'hello') => ({
  ...{ id: 'keep', agent: 'notes', action: 'append', args: { note, text } },
})
const list = { id: 'list', agent: 'notes', action: 'list', args: { recentDays: 30 } }

/** A fresh registration of the words, and the answer to what the worker proposes for it. */
async function proposed(...steps: readonly object[]) {
  const { requestId, answer } = await double.ask(words)
  expect(answer).toMatchObject({ status: 'REGISTERED' })
  const proposal = proposalOf(...steps)
  return { requestId, proposal, reply: await double.propose(requestId, proposal) }
}

function stepOf(proposal: string, step: string, args: Readonly<Record<string, unknown>>) {
  const compiled = compileProposal({ proposal, words }, { catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return { planDigest: compiled.digest, step, args }
}

describe('a worker that proposes what nobody asked', () => {
  it('gets its tokens for what the person said', async () => {
    const { requestId, proposal, reply } = await proposed(append('greetings'))
    expect(reply).toMatchObject({ status: 'ADMITTED' })
    const kept = stepOf(proposal, 'keep', { note: 'greetings', text: 'hello' })
    await double.perform({ requestId, ...kept })
    expect(await double.minted(requestId)).toBe(1)
  })

  it('gets none for a note that the person never spoke of, before they have seen it', async () => {
    const { requestId, proposal, reply } = await proposed(append('of-the-worker'))
    expect(reply).toMatchObject({ status: 'ADMITTED' })
    const kept = stepOf(proposal, 'keep', { note: 'of-the-worker', text: 'hello' })
    expect(await double.authorize({ requestId, ...kept })).toMatchObject({ status: 'APPROVAL' })
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets none for what cannot be undone', async () => {
    const etag = { $from: 'events#/events/0/etag' }
    const uid = { $from: 'events#/events/0/uid' }
    const events = { id: 'events', agent: 'calendar', action: 'list', args: { day: 'today' } }
    const args = { calendar: 'work', uid, scope: 'series', ifMatch: etag }
    const { requestId, reply } = await proposed(
      { ...events, args: { calendar: 'work', day: 'today', days: 1 } },
      { id: 'gone', agent: 'calendar', action: 'delete', args },
    )
    // Whatever it is asked for, there is no token without a person's decision.
    expect(reply.status).not.toBe('AUTHORISED')
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets no plan that shows what is private to others', async () => {
    const place = { lat: from('list#/count'), lon: 0 }
    const { requestId, reply } = await proposed(list, {
      ...{ id: 'tell', agent: 'weather', action: 'forecast' },
      args: { place, days: 1 },
    })
    expect(reply).toMatchObject({ status: 'REFUSED', code: 'PLAN_INVALID' })
    const codes = reply.status === 'REFUSED' ? reply.issues?.map(({ code }) => code) : []
    expect(codes?.some((code) => code === 'FLOW_R2' || code === 'FLOW_R5')).toBe(true)
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets no second plan, and none for other words', async () => {
    const { requestId, proposal } = await proposed(append('greetings'))
    const second = await double.propose(requestId, proposalOf(append('hello')))
    expect(second).toMatchObject({ status: 'REFUSED', code: 'ALREADY_PROPOSED' })
    const other = await double.ask('Say nothing.')
    const asked = stepOf(proposal, 'keep', { note: 'greetings', text: 'hello' })
    expect(await double.authorize({ requestId: other.requestId, ...asked })).toMatchObject({
      ...{ status: 'DENIED', code: 'NOT_ADMITTED' },
    })
    expect(await double.propose('never-asked', proposal)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
  })

  it('gets no other arguments than it has proposed', async () => {
    const { requestId, proposal } = await proposed(append('greetings'))
    const asked = stepOf(proposal, 'keep', { note: 'of-the-worker', text: 'hello' })
    expect(await double.authorize({ requestId, ...asked })).toMatchObject({
      ...{ status: 'DENIED', code: 'ARGS_MISMATCH' },
    })
    expect(await double.minted(requestId)).toBe(0)
  })

  it('does read what it likes of the person, and writes what it likes where they said', async () => {
    const text = { $text: '{{n}} notes, says the worker', with: { n: from('list#/count') } }
    const { requestId, proposal, reply } = await proposed(list, append('greetings', text))
    expect(reply).toMatchObject({ status: 'ADMITTED' })
    const listed = await double.perform({
      requestId,
      ...stepOf(proposal, 'list', { recentDays: 30 }),
    })
    const said = `${JSON.parse(listed.content).count} notes, says the worker`
    const sources = [{ step: 'list', iteration: 0, ...listed }]
    const kept = stepOf(proposal, 'keep', { note: 'greetings', text: said })
    await double.perform({ requestId, ...kept, sources })
    expect(await double.minted(requestId)).toBe(2)
  })
})
