// SIGKILL of the worker in the middle of a local activity that has carried on: what it had settled is
// answered from the records when its task is repeated, and what was out is done once.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CrashDeployment, startCrashDeployment } from '../../support/crash-deployment.ts'

const read = 'agent: notes, action: list, args: { recentDays: 7, limit: 3 }, timeoutMs: 2000'
const plan = `
version: 1
goal: Three waves of reads
steps:
  - { id: one, ${read} }
  - { id: two, ${read}, needs: [one] }
  - { id: beside, ${read}, needs: [one] }
  - { id: three, ${read}, needs: [two, beside] }
answer: { from: [three] }
`
const ids = ['one', 'two', 'beside', 'three']

let deployment: CrashDeployment
beforeAll(async () => {
  deployment = await startCrashDeployment(true)
  // The agent's first start, which no fast attempt waits for.
  await deployment.run('ahead-first', plan)
})
afterEach(() => {
  for (const gate of Object.values(deployment.gates)) gate.open()
})
afterAll(() => deployment.stop())

describe('a worker that is killed while it has carried on', () => {
  it('is not needed for the gates: undisturbed, all is done on the fast lane', async () => {
    const { status, steps } = await deployment.run('ahead-none', plan)
    expect(status).toBe('completed')
    expect(steps.map(({ lane, attempts }) => [lane, attempts])).toEqual(ids.map(() => ['fast', 1]))
  })

  it.each([
    { point: 'after-authorise', ledger: 'absent', notary: 'open', tokens: 2 },
    { point: 'after-reply', ledger: 'DONE', notary: 'open', tokens: 2 },
    { point: 'after-settle', ledger: 'DONE', notary: 'settled', tokens: 1 },
  ])('leaves nothing lost and nothing done twice: $point', async (cell) => {
    const { point, ledger, notary, tokens } = cell
    const requestId = `ahead-${randomUUID()}`
    deployment.gates.worker.arm(`${point} two`)
    const running = deployment.run(requestId, plan)
    // Awaited below; a point that is not reached is told first.
    running.catch(() => undefined)
    await deployment.gates.worker.reached(30_000)
    const first = deployment.effect(requestId, 'one')
    expect(first).toMatchObject({ ledger: 'DONE', notary: 'settled', tokens: 1 })
    expect(deployment.effect(requestId, 'two')).toMatchObject({ ledger, notary, tokens: 1 })
    expect(deployment.effect(requestId, 'three')).toBeUndefined()
    const { pid } = await deployment.find('worker')
    await deployment.kill(pid)
    deployment.gates.worker.release()

    const document = await running
    expect(document.status, JSON.stringify(document)).toBe('completed')
    for (const { outcome } of document.steps) expect(outcome).toMatch(/^(already-)?settled$/)
    // The wave before is answered from the records: no other token was given for it.
    expect(deployment.effect(requestId, 'one')).toEqual(first)
    const two = deployment.effect(requestId, 'two')
    expect(two).toMatchObject({ ledger: 'DONE', notary: 'settled', tokens })
    expect(deployment.effect(requestId, 'three')).toMatchObject({ ledger: 'DONE', tokens: 1 })
    expect(document.audit.verified).toBe(true)
  })

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(5)
  })
})
