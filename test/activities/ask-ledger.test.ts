// What becomes of a step whose attempts are over: its agent's ledger is asked before anything is taken
// for unknown, also where the agent has to be started for it, and its word counts when it is the last.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import type { NotaryCode } from '../../notary/codes.ts'
import type { SettleCall, SettleReply } from '../../notary/contract.ts'
import { BusError } from '../../security/bus.ts'
import { type Bench, createBench, denied } from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

const times = (entry: string) => bench.world.log.filter((one) => one === entry).length
const refuse = (code: NotaryCode) => {
  bench.world.override.authorize = (call) => (call.op === 'run' ? denied(code) : undefined)
}
const usedUp = () => refuse('ATTEMPTS_USED_UP')
/** A step's call never reaches its agent, and no attempt is left. */
async function undelivered() {
  const { resultRef } = await bench.dispatch('read')
  const sources = [bench.source('read', resultRef)]
  bench.world.override.deliver = (subject) => {
    if (subject.startsWith('agent.')) throw new BusError('NOT_DELIVERED', 'gone')
  }
  await bench.dispatch('write', { sources }).catch(() => undefined)
  delete bench.world.override.deliver
  usedUp()
  return sources
}
/** The step acts, its worker dies before it hears of it, and no attempt is left. */
async function lostReply() {
  const { resultRef } = await bench.dispatch('read')
  const sources = [bench.source('read', resultRef)]
  bench.onPoint = (point) => {
    if (point === 'after-reply') throw new Error('the worker died')
  }
  await bench.dispatch('write', { sources }).catch(() => undefined)
  bench.onPoint = () => undefined
  usedUp()
  return sources
}

describe('a step that a rule forbids since it was sent', () => {
  it.each([
    ...(['POLICY', 'FLOW', 'APPROVAL_DENIED', 'DEADLINE_PASSED', 'REQUEST_LIMIT'] as const),
  ])('is not denied by %s but what its agent did', async (code) => {
    const sources = await lostReply()
    refuse(code)
    const attempt = 2
    expect(await bench.dispatch('write', { sources, attempt })).toMatchObject({
      outcome: 'settled',
    })
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('is denied where it was never sent', async () => {
    const { resultRef } = await bench.dispatch('read')
    const sources = [bench.source('read', resultRef)]
    refuse('POLICY')
    const result = await bench.dispatch('write', { sources, attempt: 2 })
    expect(result).toMatchObject({ outcome: 'denied', code: 'POLICY' })
  })
})

describe('a step whose attempts are used up', () => {
  it('has its agent started to say what became of it', async () => {
    const sources = await lostReply()
    bench.world.running = false
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'settled', resultRef: expect.any(String) })
    expect(times('ensure')).toBe(1)
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('has an agent started that nobody reaches any more', async () => {
    const sources = await lostReply()
    let isCutOff = true
    bench.world.override.deliver = (subject) => {
      if (isCutOff && subject.startsWith('agent.')) throw new BusError('NOT_DELIVERED', 'gone')
    }
    bench.world.override.ensure = () => {
      isCutOff = false
      return { status: 'RUNNING', bootEpoch: 'epoch-02' }
    }
    expect(await bench.dispatch('write', { sources })).toMatchObject({ outcome: 'settled' })
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('is unknown when nobody can be asked, and no sooner than every token is over', async () => {
    const sources = await lostReply()
    bench.world.running = false
    bench.world.override.ensure = () => ({ status: 'FAILED', code: 'BACKING_OFF', message: '' })
    bench.world.override.settle = () => ({ status: 'SETTLED', outcome: 'unknown' })
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'unknown' })
    expect(bench.slept()).toBeGreaterThan(32_000)
  })

  it('failed for certain when its ledger knows nothing of it, by the agent’s signature', async () => {
    const sources = await undelivered()
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'failed', code: 'NOT_BEGUN' })
    expect(bench.world.log).toContain('settle:write:receipt')
    expect(bench.world.executions.has('write')).toBe(false)
  })

  it('looks again while the notary says that it can still begin', async () => {
    const sources = await undelivered()
    let early = 2
    bench.world.override.settle = (call) => {
      if (call.type !== 'receipt' || early === 0) return undefined
      early -= 1
      return { status: 'REFUSED', code: 'TOKENS_ALIVE', message: '' }
    }
    expect(await bench.dispatch('write', { sources })).toMatchObject({ code: 'NOT_BEGUN' })
    expect(times('attach:write')).toBe(4)
  })
})

describe('a failure before the effect', () => {
  it('is noted when another attempt follows, so that its token keeps nobody waiting', async () => {
    await bench.close()
    bench = await createBench(async ({ action }) => {
      if (action === 'list') return { count: 1, events: [{ summary: 'x' }] }
      throw new ActionFailure('UNAVAILABLE', 'absent')
    })
    const { resultRef } = await bench.dispatch('read')
    const sources = [bench.source('read', resultRef)]
    const noted: SettleCall[] = []
    bench.world.override.settle = (call): SettleReply => {
      noted.push(call)
      return { status: 'NOTED' }
    }
    await expect(bench.dispatch('write', { sources })).rejects.toThrow('before it had an effect')
    expect(noted).toMatchObject([{ type: 'receipt', step: 'write', again: true }])
  })
})
