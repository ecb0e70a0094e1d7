// W: the worker replaced by a double with the worker's real credentials, against the real notary,
// supervisor and sandboxed agents. Honest, it gets its tokens; else none, and no row of one either.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import type { AuthorizeReply } from '../../notary/contract.ts'
import { compileSource } from '../../plan/compile.ts'
import type { LookUpHandle } from '../../plan/handle.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { startDeployment, stubParty, type TestDeployment } from '../support/deployment.ts'
import { decide } from '../support/policy.ts'
import { createWorkerDouble, type Done, type WorkerDouble } from '../support/worker-double.ts'

const source = `
version: 1
goal: Count the notes and keep the count
steps:
  - { id: list, agent: notes, action: list, args: { recentDays: 30 } }
  - id: keep
    agent: notes
    action: append
    args: { note: double, text: { $text: "{{n}} notes", with: { n: { $from: "list#/count" } } } }
  - id: never
    agent: notes
    action: append
    when: { cel: "n > 1000", with: { n: { $from: "list#/count" } } }
    args: { note: double, text: never }
  - { id: last, agent: notes, action: list, needs: [keep] }
answer: { from: [list] }
`

function compile(
  text: string,
  handles?: LookUpHandle,
): { readonly plan: CompiledPlan; readonly digest: string } {
  const result = compileSource({
    kind: 'plan',
    source: text,
    inputs: {},
    catalogue,
    decide,
    handles,
  })
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result
}

let deployment: TestDeployment
let double: WorkerDouble
const { plan, digest } = compile(source)

beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample', workerEntry: stubParty })
  double = await createWorkerDouble(deployment.state)
}, 240_000)

afterAll(async () => {
  await double?.close()
  await deployment?.stop()
})

/** A fresh registration with its plan admitted. */
async function admitted(): Promise<string> {
  const { requestId, answer } = await double.register(source)
  expect(answer).toMatchObject({ status: 'REGISTERED', digest })
  expect(await double.admit(requestId, plan)).toMatchObject({ status: 'ADMITTED' })
  return requestId
}

function listStep(requestId: string) {
  return { requestId, planDigest: digest, step: 'list', args: { recentDays: 30 } } as const
}

function keepStep(requestId: string, list: Done) {
  const { count } = JSON.parse(list.content)
  return {
    requestId,
    planDigest: digest,
    step: 'keep',
    args: { note: 'double', text: `${count} notes` },
    sources: [{ step: 'list', iteration: 0, hash: list.hash, content: list.content }],
  }
}

function expectDenied(reply: AuthorizeReply, code: string): void {
  expect(reply).toMatchObject({ status: 'DENIED', code })
  expect(JSON.stringify(reply)).not.toMatch(/eyJ/)
}

describe('a worker with its real credentials', () => {
  let requestId: string
  beforeEach(async () => {
    requestId = await admitted()
  })

  it('gets its tokens when it is honest', async () => {
    const list = await double.perform(listStep(requestId))
    const kept = await double.perform(keepStep(requestId, list))
    expect(JSON.parse(kept.content)).toMatchObject({ note: 'double' })
    expect(await double.minted(requestId)).toBe(2)
  })

  it('gets none for a request nobody registered', async () => {
    expect(await double.admit('never-registered', plan)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    expectDenied(await double.authorize(listStep('never-registered')), 'UNKNOWN_REQUEST')
    expect(await double.minted('never-registered')).toBe(0)
  })

  it('gets none for a registration whose plan was not admitted', async () => {
    const { requestId: registered } = await double.register(source)
    expectDenied(await double.authorize(listStep(registered)), 'NOT_ADMITTED')
    expect(await double.minted(registered)).toBe(0)
  })

  it('gets none for another well-typed plan for that registration', async () => {
    const other = compile(source.replace('recentDays: 30', 'recentDays: 31'))
    const { requestId: registered } = await double.register(source)
    expect(await double.admit(registered, other.plan)).toMatchObject({ code: 'PLAN_MISMATCH' })
    const asked = { ...listStep(registered), planDigest: other.digest, args: { recentDays: 31 } }
    expect(await double.authorize(asked)).toMatchObject({ status: 'DENIED' })
    expect(await double.minted(registered)).toBe(0)
  })

  it('gets none for a second plan', async () => {
    const other = compile(source.replace('recentDays: 30', 'recentDays: 31'))
    const second = await double.admit(requestId, other.plan)
    expect(second).toMatchObject({ status: 'REFUSED' })
    expect(['ALREADY_ADMITTED', 'PLAN_MISMATCH']).toContain('code' in second ? second.code : '')
    const asked = { ...listStep(requestId), planDigest: other.digest, args: { recentDays: 31 } }
    expect(await double.authorize(asked)).toMatchObject({ status: 'DENIED' })
    expect(await double.minted(requestId)).toBe(0)
  })

  it("gets none for an argument that differs from the plan's literal", async () => {
    const asked = { ...listStep(requestId), args: { recentDays: 31 } }
    expectDenied(await double.authorize(asked), 'ARGS_MISMATCH')
    expect(await double.minted(requestId)).toBe(0)
  })

  it("gets none for an argument that differs from the producer's settled result", async () => {
    const list = await double.perform(listStep(requestId))
    const asked = { ...keepStep(requestId, list), args: { note: 'double', text: '999 notes' } }
    expectDenied(await double.authorize(asked), 'ARGS_MISMATCH')
    expect(await double.minted(requestId)).toBe(1)
  })

  it('gets none for a forged result, under the true hash or its own', async () => {
    const list = await double.perform(listStep(requestId))
    const content = list.content.replace(/"count":\d+/, '"count":999')
    expect(content).not.toBe(list.content)
    const honest = keepStep(requestId, list)
    for (const hash of [list.hash, 'A'.repeat(43)]) {
      const asked = {
        ...honest,
        args: { note: 'double', text: '999 notes' },
        sources: [{ step: 'list', iteration: 0, hash, content }],
      }
      expectDenied(await double.authorize(asked), 'SOURCE_MISMATCH')
    }
    expect(await double.minted(requestId)).toBe(1)
  })

  it('gets none for an earlier result that it forges, swaps or pins itself', async () => {
    const list = await double.perform(listStep(requestId))
    const handle = `${requestId}/list/0`
    const count = Number(JSON.parse(list.content).count)
    const following = source.replace(
      '$from: "list#/count" } } }',
      `$handle: ${handle}, pointer: /count } } }`,
    )
    const { requestId: registered } = await double.register(following)
    const told = await double.handles(registered, [handle, 'nobody-has/this/0'])
    if (told.status !== 'HANDLES') throw new Error(told.status)
    expect(Object.keys(told.handles)).toEqual([handle])
    const pinned = compile(following, (name) => told.handles[name])
    const forged = list.content.replace(/"count":\d+/, '"count":999')
    const otherHash = 'A'.repeat(43)
    const repinned = compile(following, (name) => {
      const pin = told.handles[name]
      return pin === undefined ? undefined : { ...pin, hash: otherHash }
    })
    expect(await double.admit(registered, repinned.plan)).toMatchObject({ code: 'PLAN_MISMATCH' })
    expect(await double.admit(registered, pinned.plan)).toMatchObject({ status: 'ADMITTED' })
    const keep = (n: number, hash: string, content: string) => ({
      ...{ requestId: registered, planDigest: pinned.digest, step: 'keep' },
      args: { note: 'double', text: `${n} notes` },
      sources: [{ step: handle, iteration: 0, hash, content }],
    })
    expectDenied(await double.authorize(keep(999, list.hash, forged)), 'SOURCE_MISMATCH')
    expectDenied(await double.authorize(keep(999, otherHash, forged)), 'SOURCE_MISMATCH')
    expectDenied(await double.authorize(keep(999, list.hash, list.content)), 'ARGS_MISMATCH')
    expect(await double.minted(registered)).toBe(0)
    await double.perform(keep(count, list.hash, list.content))
  })

  it('gets none for a step whose needs have not settled', async () => {
    const asked = { requestId, planDigest: digest, step: 'last' }
    expectDenied(await double.authorize(asked), 'NEEDS_UNSETTLED')
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets none for a step whose guard was false, and cannot skip one whose guard is true', async () => {
    const list = await double.perform(listStep(requestId))
    const [listed] = keepStep(requestId, list).sources
    const asked = {
      requestId,
      planDigest: digest,
      step: 'never',
      args: { note: 'double', text: 'never' },
      sources: listed === undefined ? [] : [listed],
    }
    expectDenied(await double.authorize(asked), 'GUARD_FALSE')
    expect(await double.minted(requestId)).toBe(1)
  })

  it('gets none for an undo of a step never authorised, nor of one in a run that goes well', async () => {
    const undo = {
      requestId,
      planDigest: digest,
      step: 'keep',
      kind: 'undo',
      args: { note: 'double', entry: 'A'.repeat(43) },
    } as const
    expectDenied(await double.authorize(undo), 'NOT_ABORTING')
    expect(await double.cancel(requestId)).toMatchObject({ status: 'CANCELLED' })
    expectDenied(await double.authorize(undo), 'NEVER_AUTHORISED')
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets none for a step forward once a person has cancelled', async () => {
    await double.cancel(requestId)
    expectDenied(await double.authorize(listStep(requestId)), 'REQUEST_CANCELLED')
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets none for a step that the plan does not have', async () => {
    expectDenied(await double.authorize({ ...listStep(requestId), step: 'more' }), 'UNKNOWN_STEP')
    expect(await double.minted(requestId)).toBe(0)
  })

  it('gets none for a rerun that nobody decided', async () => {
    await double.perform(listStep(requestId))
    expectDenied(await double.authorize({ ...listStep(requestId), rerun: 1 }), 'NOT_DECIDED')
    expect(await double.minted(requestId)).toBe(1)
  })

  it('cannot decide in the place of a person: the bus does not let it ask', async () => {
    await double.perform(listStep(requestId))
    const decisions = [
      { decision: 'retry', requestId, step: 'list' },
      { decision: 'happened', requestId, step: 'list', kind: 'do' },
      { decision: 'give-up', requestId },
    ]
    for (const decision of decisions) await expect(double.recover(decision)).rejects.toThrow()
    expect(await double.authorize(listStep(requestId))).toMatchObject({
      status: 'SETTLED',
      rerun: 0,
    })
  })

  it('gets none to cancel what no person has cancelled', async () => {
    await double.authorize(listStep(requestId))
    expectDenied(await double.authorize({ ...listStep(requestId), op: 'cancel' }), 'NOT_CANCELLED')
    expect(await double.minted(requestId)).toBe(1)
  })

  it("gets none to attach to another request's effect, and attaching runs nothing", async () => {
    const other = await admitted()
    await double.authorize(listStep(other))
    const attach = { ...listStep(requestId), op: 'attach' } as const
    expectDenied(await double.authorize(attach), 'NEVER_AUTHORISED')
    const granted = await double.authorize({ ...listStep(other), op: 'attach' })
    if (granted.status !== 'AUTHORISED') throw new Error(JSON.stringify(granted))
    const { subject, token, salt } = granted
    expect(await double.exec(subject, { op: 'attach', token, salt })).toMatchObject({
      status: 'ABSENT',
    })
    const again = await double.authorize({ ...listStep(other), op: 'attach' })
    if (again.status !== 'AUTHORISED') throw new Error(JSON.stringify(again))
    const run = { op: 'run', token: again.token, args: { recentDays: 30 }, salt: again.salt }
    expect(await double.exec(subject, run)).toMatchObject({ code: 'WRONG_OPERATION' })
  })

  it('gets none for a probe that no manifest declares, in the place of the step', async () => {
    const list = await double.perform(listStep(requestId))
    const asked = { ...keepStep(requestId, list), kind: 'probe' } as const
    expectDenied(await double.authorize(asked), 'UNKNOWN_STEP')
    expect(await double.minted(requestId)).toBe(1)
  })

  it('cannot settle what no agent signed', async () => {
    const granted = await double.authorize(listStep(requestId))
    expect(granted).toMatchObject({ status: 'AUTHORISED' })
    const forged = await double.settle({
      ...{ requestId, planDigest: digest, kind: 'do', step: 'list', iteration: 0 },
      ...{ type: 'receipt', receipt: 'e30.e30.e30', envelope: 'e30.e30.e30', invalidResult: false },
    })
    expect(forged).toMatchObject({ status: 'REFUSED', code: 'RECEIPT_INVALID' })
    const failed = await double.settle({
      ...{ requestId, planDigest: digest, kind: 'do', step: 'list', iteration: 0 },
      ...{ type: 'failure', code: 'INTERNAL' },
    })
    expect(failed).toMatchObject({ status: 'REFUSED', code: 'TOKENS_ALIVE' })
  })
})
