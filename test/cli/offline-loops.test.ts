// What the command reads of a loop from the notary's file while the platform is down: the same as the
// notary tells while it is up.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordedState } from '../../cli/commands/runs.ts'
import { offlineAudit } from '../../cli/offline-audit.ts'
import type { RequestSummary } from '../../notary/contract.ts'
import { createHarness, type Harness } from '../notary/harness.ts'
import { conflict, expanded, iterate, loopingWith } from '../notary/loops.ts'

let base: string
let harness: Harness
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-offline-'))
  mkdirSync(join(base, 'notary'))
  harness = await createHarness({ folder: join(base, 'notary') })
})
afterEach(async () => {
  await harness.close()
  rmSync(base, { recursive: true, force: true })
})

async function both(): Promise<readonly RequestSummary[]> {
  const offline = offlineAudit(base)
  const read = await offline.request('r-1').finally(() => offline.close())
  const told = await harness.notary.query('cli', { what: 'request', requestId: 'r-1' })
  if (told.status !== 'REQUESTS') throw new Error(told.status)
  return [read, told.requests[0]].flatMap((one) => one ?? [])
}

describe('a loop', () => {
  it('is told as counts, and as what it is together, whichever iteration came last', async () => {
    const { run, source } = await expanded(harness, loopingWith('hold'))
    await iterate(harness, { run, source }, { iteration: 0, happened: conflict })
    const seen = async () => {
      const [offline, online] = await both()
      expect(offline).toEqual(online)
      return offline?.steps.find(({ id }) => id === 'each')
    }
    expect(await seen()).toMatchObject({
      outcome: 'failed',
      code: 'CONFLICT',
      loop: { total: 2, outcomes: { failed: 1 } },
    })
    await iterate(harness, { run, source }, { iteration: 1 })
    expect(await seen()).toMatchObject({
      outcome: 'failed',
      loop: { total: 2, outcomes: { failed: 1, settled: 1 } },
    })
    const [summary] = await both()
    if (summary === undefined) throw new Error('no such request')
    const { steps } = recordedState(summary)
    expect(steps.find(({ id }) => id === 'each')?.loop).toMatchObject({ total: 2, failed: [] })
  })
})
