// What is asked about a run, as its notary and its file tell: whoever may decide sees which question it is
// and what to type, also where the run itself has not heard of it.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordedState } from '../../cli/commands/runs.ts'
import { offlineAudit } from '../../cli/offline-audit.ts'
import { withOpenApprovals } from '../../cli/open-approvals.ts'
import { adviceFor } from '../../cli/run-advice.ts'
import type { RequestSummary } from '../../notary/contract.ts'
import type { RunState } from '../../workflows/contract.ts'
import { askingFor, askingHarness, onlyQuestion, say, users } from '../notary/approvals.ts'
import type { Harness } from '../notary/harness.ts'
import { expand, looping, oneTwo } from '../notary/loops.ts'
import { erasing, list } from '../notary/plans.ts'

let base: string
let home: Harness
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-open-'))
  mkdirSync(join(base, 'notary'))
  const sees = users.map((user) => ({ ...user, sees: user.id === 'owner' ? [] : ['owner'] }))
  const folder = join(base, 'notary')
  home = await askingHarness({ folder, users: sees, decide: askingFor('append') })
})
afterEach(async () => {
  await home.close()
  rmSync(base, { recursive: true, force: true })
})

async function told(account = 'cli'): Promise<RequestSummary['approvals']> {
  const reply = await home.notary.query(account, { what: 'request', requestId: 'r-1' })
  if (reply.status !== 'REQUESTS') throw new Error(reply.status)
  return reply.requests[0]?.approvals
}

async function read(): Promise<RequestSummary | undefined> {
  const offline = offlineAudit(base, () => home.clock.time)
  return offline.request('r-1').finally(() => offline.close())
}

describe('what is asked about a run', () => {
  it('is told of its plan, and is gone when it is decided', async () => {
    const run = await home.run(erasing, { admitted: false })
    await home.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    const id = await onlyQuestion(home)
    const open = [{ id, expiresAt: home.clock.time + 7 * 24 * 3_600_000 }]
    expect(await told()).toEqual(open)
    const summary = await read()
    expect(summary?.approvals).toEqual(open)
    if (summary === undefined) throw new Error('no such request')
    const state = recordedState(summary)
    expect(state.status).toBe('waiting-approval')
    expect(adviceFor({ requestId: 'r-1', ...state })[0]?.next).toContain(
      `npx bulkhead approvals show ${id}`,
    )
    await say(home, id)
    expect([await told(), (await read())?.approvals]).toEqual([undefined, undefined])
  })

  it('is told of its step, until it has expired', async () => {
    const run = await home.run(looping.replace(/ {2}- id: sum[\s\S]*(?=answer)/, ''))
    const source = await run.perform('gather', list, oneTwo)
    await expand(home, run, { sources: [source] })
    expect(await told()).toMatchObject([{ id: await onlyQuestion(home), step: 'each' }])
    expect((await read())?.approvals).toEqual(await told())
    home.clock.time += 8 * 24 * 3_600_000
    expect([await told(), (await read())?.approvals]).toEqual([undefined, undefined])
  })

  it('is told to nobody who may not decide, and not of a run that was cancelled', async () => {
    const run = await home.run(erasing, { admitted: false })
    await home.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    expect(await told('cli-bob')).toHaveLength(1)
    expect(await told('cli-cat')).toBeUndefined()
    await home.notary.cancel('cli', { requestId: 'r-1' })
    expect([await told(), (await read())?.approvals]).toEqual([undefined, undefined])
  })

  it('is laid over what the run knows, once, and over no run that has ended', () => {
    const known = { id: 'a1', expiresAt: 1 }
    const step = { id: 's', type: 'a.b', effect: 'write', attempts: 1, durationMs: 0 } as const
    const state: RunState = {
      status: 'running',
      steps: [
        { ...step, outcome: 'waiting', approvals: [known] },
        { ...step, id: 't', outcome: 'running' },
      ],
    }
    const open = [
      { ...known, step: 's' },
      { id: 'a2', step: 't', expiresAt: 2 },
      { id: 'a3', expiresAt: 3 },
    ]
    const laid = withOpenApprovals(state, open)
    expect(laid.approvals).toEqual([{ id: 'a3', expiresAt: 3 }])
    expect(laid.steps.map(({ approvals }) => approvals)).toEqual([
      [known],
      [{ id: 'a2', expiresAt: 2 }],
    ])
    const ended = { ...state, status: 'failed' } as const
    expect(withOpenApprovals(ended, open)).toBe(ended)
  })
})
