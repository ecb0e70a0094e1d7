// Hop 7 where the command is out already: long actions, cut-off activities, cancelled runs, results
// that are gone, and reruns.

import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '../../agents/protocol.ts'
import { type Bench, createBench, denied, failureTypeOf } from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())
const times = (entry: string) => bench.world.log.filter((one) => one === entry).length

describe('a long action', () => {
  it('is attached to until it has an outcome, with its progress, and costs one attempt', async () => {
    let left = 3
    bench.world.override.reply = (honest) => {
      left -= 1
      const still: Reply = { status: 'IN_PROGRESS', progress: { done: 3 - left, total: 3 } }
      return left > 0 ? still : honest
    }
    const result = await bench.dispatch('read')
    expect(result).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(times('authorize:read')).toBe(1)
    expect(times('attach:read')).toBe(2)
    expect(bench.world.effects.get('read')?.attempts).toBe(1)
    expect(Object.fromEntries(bench.world.executions)).toEqual({ read: 1 })
  })

  it('that the agent knows nothing of any more is tried again', async () => {
    bench.world.override.reply = (honest) =>
      honest.status === 'DONE' ? { status: 'IN_PROGRESS' } : honest
    bench.world.override.authorize = (call) =>
      call.op === 'attach' ? denied('NEVER_AUTHORISED') : undefined
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('NO_REPLY')
  })
})

describe('an activity that may only find out', () => {
  const drain = { drain: true } as const

  it('takes the outcome that the agent kept, and sends nothing', async () => {
    const sources = await bench.afterRead()
    bench.onPoint = (point) => {
      if (point === 'after-reply') throw new Error('the worker died')
    }
    await bench.dispatch('write', { sources }).catch(() => undefined)
    bench.onPoint = () => undefined
    const result = await bench.dispatch('write', { sources, ...drain })
    expect(result.outcome).toBe('settled')
    expect(times('authorize:write')).toBe(1)
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('says that nothing was done where nothing was ever authorised', async () => {
    const sources = await bench.afterRead()
    const result = await bench.dispatch('write', { sources, ...drain })
    expect(result).toMatchObject({ outcome: 'denied', code: 'REQUEST_CANCELLED' })
    expect(bench.world.executions.has('write')).toBe(false)
  })
})

describe('a step whose attempts are used up', () => {
  it('has the outcome that the ledger kept, and is not unknown for want of a reply', async () => {
    const sources = await bench.afterRead()
    bench.onPoint = (point) => {
      if (point === 'after-reply') throw new Error('the worker died')
    }
    await bench.dispatch('write', { sources }).catch(() => undefined)
    bench.onPoint = () => undefined
    bench.world.override.authorize = (call) =>
      call.op === 'run' ? denied('ATTEMPTS_USED_UP') : undefined
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'settled', resultRef: expect.any(String) })
    expect(times('attach:write')).toBe(1)
    expect(bench.world.executions.get('write')).toBe(1)
  })
})

describe('a run that is cancelled', () => {
  it('has the agent told, with a token of its own, and no other way', async () => {
    bench.world.override.reply = async (honest, step) => {
      if (step === 'read' && times('cancel:read') === 0) {
        bench.cancel.abort()
        await expect.poll(() => times('cancel:read')).toBe(1)
      }
      return honest
    }
    const result = await bench.dispatch('read')
    expect(result.outcome).toBe('settled')
    expect(times('cancel:read')).toBe(1)
    const told = bench.world.seen.filter(
      ({ subject, payload }) => subject.startsWith('agent.') && isOp(payload, 'cancel'),
    )
    expect(told).toHaveLength(1)
  })

  it('is left to its end when the notary knows of no cancellation', async () => {
    bench.world.override.authorize = (call) =>
      call.op === 'cancel' ? denied('NOT_CANCELLED') : undefined
    bench.cancel.abort()
    expect((await bench.dispatch('read')).outcome).toBe('settled')
    expect(bench.world.seen.some(({ payload }) => isOp(payload, 'cancel', 'token'))).toBe(false)
  })
})

describe('an effect whose outcome nobody knows', () => {
  it('is settled again once its probe was asked, or could not be', async () => {
    const sources = await bench.afterRead()
    let first = true
    bench.world.override.settle = (call) => {
      if (!first || call.kind !== 'do') return undefined
      first = false
      return { status: 'PROBE', idem: 'i'.repeat(43) }
    }
    // The action declares none, so there is nobody to ask: the notary is told so, and decides.
    expect((await bench.dispatch('write', { sources })).outcome).toBe('settled')
    expect(times('settle:write:receipt')).toBe(2)
  })
})

describe('a step whose material is gone for good', () => {
  it('is settled as failed with the notary, so that the run may be undone', async () => {
    const sources = [bench.source('read', 'f'.repeat(64))]
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'failed', code: 'ARTIFACT_MISSING' })
    expect(bench.world.log).toContain('settle:write:failure')
  })

  it('is so too when the plan itself is gone', async () => {
    await rm(bench.folder, { recursive: true, force: true })
    const result = await bench.dispatch('read')
    expect(result).toMatchObject({ outcome: 'failed', code: 'ARTIFACT_MISSING' })
    expect(bench.world.log).toEqual(['settle:read:failure'])
  })
})

describe('a rerun', () => {
  it('keeps its result apart from the first, and says which it was', async () => {
    const first = await bench.dispatch('read')
    const before = bench.world.effects.get('read')
    bench.world.effects.delete('read')
    bench.world.override.authorize = () => undefined
    bench.world.rerun = 1
    const second = await bench.dispatch('read')
    expect(before).toBeDefined()
    expect(second).toMatchObject({ outcome: 'settled', rerun: 1 })
    expect(second.resultRef).not.toBe(first.resultRef)
    const settled = bench.world.seen.findLast(({ subject }) => subject === 'notary.settle')
    expect(settled?.payload).toMatchObject({ rerun: 1 })
  })
})

function isOp(payload: unknown, op: string, having?: string): boolean {
  if (typeof payload !== 'object' || payload === null || !('op' in payload)) return false
  return payload.op === op && (having === undefined || having in payload)
}
