// Hop 7 against a notary and agents in memory: what one attempt does, asks, stores and reports.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuthorizeReply } from '../../notary/contract.ts'
import { limits } from '../../plan/limits.ts'
import { BusError } from '../../security/bus.ts'
import {
  type Bench,
  createBench,
  denied,
  failureTypeOf,
  requestId,
  title,
} from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

describe('a step that goes well', () => {
  it('is authorised, executed, stored and settled, in that order', async () => {
    const result = await bench.dispatch('read')
    expect(result).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(bench.world.log).toEqual(['authorize:read', 'exec:read', 'settle:read:receipt'])
    expect(bench.points).toEqual([
      'after-authorise',
      'after-send',
      'after-reply',
      'after-artifact',
      'after-settle',
    ])
    const { bytes, meta } = await bench.artifacts.get(result.resultRef ?? '')
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ count: 1 })
    expect(meta).toMatchObject({ kind: 'result', step: 'read', readers: ['user:owner'] })
    expect(meta.resultHash).toBe(bench.world.effects.get('read')?.resultHash)
  })

  it('has its result durable before it is settled', async () => {
    bench.onPoint = (point) => {
      if (point === 'after-artifact') throw new Error('crash')
    }
    await expect(bench.dispatch('read')).rejects.toThrow('crash')
    const address = { requestId, step: 'read', iteration: 0, kind: 'result' } as const
    expect(await bench.artifacts.find(address)).toBeDefined()
    expect(bench.world.log).not.toContain('settle:read:receipt')
  })

  it('resolves its arguments from the results it builds on, and names these by hash', async () => {
    const sources = await bench.afterRead()
    const result = await bench.dispatch('write', { sources })
    expect(result.outcome).toBe('settled')
    const asked = bench.world.seen.findLast(({ subject }) => subject === 'notary.authorize')
    expect(asked?.payload).toMatchObject({
      args: { text: title },
      sources: [{ step: 'read', hash: bench.world.effects.get('read')?.resultHash }],
    })
    expect(JSON.stringify(asked?.payload)).not.toContain('"content"')
  })

  it('brings the contents when the notary has lost them', async () => {
    const sources = await bench.afterRead()
    let asked = 0
    bench.world.override.authorize = ({ sources: named }) => {
      asked += 1
      return named[0]?.content === undefined
        ? { status: 'NEED_SOURCES', steps: [{ step: 'read', iteration: 0 }] }
        : undefined
    }
    expect((await bench.dispatch('write', { sources })).outcome).toBe('settled')
    expect(asked).toBe(2)
  })

  it('is skipped, and settled so, when its guard is false', async () => {
    await bench.close()
    bench = await createBench(async () => ({ count: 0, events: [] }))
    const sources = await bench.afterRead()
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'skipped', resultRef: null })
    expect(bench.world.log).toContain('settle:write:skip')
    expect(bench.world.log).not.toContain('authorize:write')
  })

  it('goes out with the priority of its run', async () => {
    await bench.dispatch('read', { priority: 'CRITICAL' })
    const sent = bench.world.seen.filter(({ subject }) => subject.startsWith('agent.'))
    expect(sent.map(({ priority }) => priority)).toEqual(['CRITICAL'])
  })

  it('tells Temporal that it is alive', async () => {
    await bench.dispatch('read')
    expect(bench.heartbeats()).toBeGreaterThan(0)
  })
})

describe('a crash', () => {
  const points = [
    'after-authorise',
    'after-send',
    'after-reply',
    'after-artifact',
    'after-settle',
  ] as const

  it.each(points)('%s is survived: the next attempt ends it and nothing runs twice', async (at) => {
    const sources = await bench.afterRead()
    bench.onPoint = (point) => {
      if (point === at) throw new Error('crash')
    }
    await expect(bench.dispatch('write', { sources })).rejects.toThrow('crash')
    // What was sent is executed whether or not anybody waits for it.
    await new Promise((resolve) => setTimeout(resolve, 20))
    bench.onPoint = () => undefined
    const result = await bench.dispatch('write', { sources, attempt: 2 })
    expect(result.outcome).toBe(at === 'after-settle' ? 'already-settled' : 'settled')
    expect(result.resultRef).not.toBeNull()
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('that lost the stored result of a settled step is a failure, never a success', async () => {
    const reply: AuthorizeReply = {
      status: 'SETTLED',
      outcome: 'settled',
      idem: 'i'.repeat(43),
      rerun: 0,
      resultHash: 'h'.repeat(43),
    }
    bench.world.override.authorize = () => reply
    expect(await bench.dispatch('read')).toMatchObject({ outcome: 'failed', code: 'NO_RESULT' })
  })

  it('after which another result lies in the store than was settled is a failure', async () => {
    await bench.dispatch('read')
    const effect = bench.world.effects.get('read')
    if (effect !== undefined) effect.resultHash = 'h'.repeat(43)
    expect(await bench.dispatch('read', { attempt: 2 })).toMatchObject({
      outcome: 'failed',
      code: 'NO_RESULT',
    })
  })

  it('before which the notary settled otherwise is answered with what it settled', async () => {
    for (const outcome of ['failed', 'unknown', 'skipped', 'denied'] as const) {
      bench.world.override.authorize = () => ({
        status: 'SETTLED',
        outcome,
        code: 'CONFLICT',
        idem: 'i'.repeat(43),
        rerun: 0,
      })
      expect(await bench.dispatch('read')).toMatchObject({ outcome, code: 'CONFLICT' })
    }
  })
})

describe('an agent that is not running', () => {
  it('is started, then authorised again', async () => {
    bench.world.running = false
    expect((await bench.dispatch('read')).outcome).toBe('settled')
    expect(bench.world.log.slice(0, 3)).toEqual(['authorize:read', 'ensure', 'authorize:read'])
  })

  it('that cannot be started is tried again, and failed in the end', async () => {
    bench.world.running = false
    bench.world.override.ensure = () => ({ status: 'FAILED', code: 'X', message: 'x' })
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('AGENT_UNAVAILABLE')
    const last = await bench.dispatch('read', { attempt: 3 })
    expect(last).toMatchObject({ outcome: 'failed', code: 'AGENT_UNAVAILABLE' })
    expect(bench.world.log.at(-1)).toBe('settle:read:failure')
  })

  it('is not started for ever', async () => {
    bench.world.running = false
    bench.world.override.ensure = () => ({ status: 'RUNNING', bootEpoch: 'epoch-99' })
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('AGENT_UNAVAILABLE')
  })
})

describe('a command that is not answered', () => {
  const deliver = (code: 'NOT_DELIVERED' | 'TIMEOUT' | 'PERMISSION') => {
    bench.world.override.deliver = (subject) => {
      if (subject.startsWith('agent.')) throw new BusError(code, 'scripted')
    }
  }

  it('undelivered has the agent started and is tried again', async () => {
    deliver('NOT_DELIVERED')
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('NOT_DELIVERED')
    expect(bench.world.log.at(-1)).toBe('ensure')
  })

  it('timed out is tried again with the same effect', async () => {
    deliver('TIMEOUT')
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('NO_REPLY')
    const first = bench.world.effects.get('read')?.idem
    bench.world.override = {}
    await bench.dispatch('read', { attempt: 2 })
    expect(bench.world.effects.get('read')?.idem).toBe(first)
  })

  it('is settled as failed on the last attempt, once no token can be used any more', async () => {
    deliver('TIMEOUT')
    let alive = 2
    bench.world.override.settle = () => {
      alive -= 1
      return alive >= 0 ? { status: 'REFUSED', code: 'TOKENS_ALIVE', message: 'alive' } : undefined
    }
    const result = await bench.dispatch('read', { attempt: 3 })
    expect(result).toMatchObject({ outcome: 'failed', code: 'NO_REPLY', attempts: 3 })
    expect(bench.slept()).toBeGreaterThan(30_000)
    expect(bench.world.log.filter((line) => line === 'settle:read:failure')).toHaveLength(3)
  })

  it('is unknown for a write that the notary cannot settle, and only failed for a read', async () => {
    deliver('TIMEOUT')
    bench.world.override.settle = () => ({ status: 'REFUSED', code: 'NOT_PERMITTED', message: '' })
    expect(await bench.dispatch('read', { attempt: 3 })).toMatchObject({ outcome: 'failed' })
    bench.world.override = {}
    const read = await bench.dispatch('read')
    deliver('TIMEOUT')
    bench.world.override.settle = () => ({ status: 'REFUSED', code: 'NOT_PERMITTED', message: '' })
    const write = { sources: [bench.source('read', read.resultRef)], attempt: 3 }
    expect(await bench.dispatch('write', write)).toMatchObject({ outcome: 'unknown' })
  })

  it('refused by the bus is never tried again', async () => {
    deliver('PERMISSION')
    expect(await failureTypeOf(bench.dispatch('read', { attempt: 3 }))).toBe('NOT_PERMITTED')
    expect(bench.world.log).not.toContain('settle:read:failure')
  })
})

describe('an answer that is not a result', () => {
  const reply = (make: NonNullable<Bench['world']['override']['reply']>) => {
    bench.world.override.reply = make
  }

  it('in progress or stale is tried again', async () => {
    reply(() => {
      // An agent that has nothing else to say takes that long to say so.
      bench.pass(limits.replyMs)
      return { status: 'IN_PROGRESS' }
    })
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('IN_PROGRESS')
    for (const code of ['REPLAY', 'TOKEN_EXPIRED', 'TOKEN_AUDIENCE'] as const) {
      reply(() => ({ status: 'REFUSED', code }))
      expect(await failureTypeOf(bench.dispatch('read'))).toBe('STALE_TOKEN')
    }
  })

  it('refused for good is a failure at once', async () => {
    reply(() => ({ status: 'REFUSED', code: 'IDEM_CONFLICT' }))
    expect(await bench.dispatch('read')).toMatchObject({
      outcome: 'failed',
      code: 'IDEM_CONFLICT',
    })
  })

  it('denied by the notary is the outcome, with its code', async () => {
    bench.world.override.authorize = () => denied('POLICY')
    expect(await bench.dispatch('read')).toMatchObject({ outcome: 'denied', code: 'POLICY' })
  })

  it.each(['RUN_ABORTING', 'DEADLINE_PASSED', 'REQUEST_LIMIT'] as const)(
    'denied because the run stops (%s) is no outcome of a command that may be out already',
    async (code) => {
      bench.world.override.authorize = () => denied(code)
      expect(await bench.dispatch('read')).toMatchObject({ outcome: 'denied' })
      const later = await bench.dispatch('read', { attempt: 2 })
      expect(later).toMatchObject({ outcome: 'failed', code })
      expect(bench.world.log.at(-1)).toBe('settle:read:failure')
    },
  )

  it('of a notary that cannot record is tried again, even on the last attempt', async () => {
    bench.world.override.authorize = () => denied('AUDIT_UNAVAILABLE')
    expect(await failureTypeOf(bench.dispatch('read', { attempt: 3 }))).toBe('NOTARY_UNAVAILABLE')
  })
})

describe('a step that cannot be asked for', () => {
  it('is a failure that the notary records, not an endless attempt', async () => {
    await bench.close()
    bench = await createBench(async () => ({ count: 2 ** 40, events: [] }))
    const { resultRef } = await bench.dispatch('read')
    // Nothing to refer to: the guard is over a result that the step was not given.
    const work = bench.dispatch('write', { sources: [bench.source('read', null)] })
    expect(resultRef).not.toBeNull()
    expect(await work).toMatchObject({ outcome: 'failed', code: 'INVALID_EXPRESSION' })
    expect(bench.world.log.at(-1)).toBe('settle:write:failure')
  })
})

describe('a step that does not belong', () => {
  it('is refused: another plan, another request, another type, another step', async () => {
    expect(await failureTypeOf(bench.dispatch('read', { digest: 'x'.repeat(43) }))).toBe(
      'PLAN_MISMATCH',
    )
    expect(await failureTypeOf(bench.dispatch('read', { requestId: 'req-2' }))).toBe(
      'PLAN_MISMATCH',
    )
    expect(await failureTypeOf(bench.dispatch('read', { activityType: 'notes.append' }))).toBe(
      'PLAN_MISMATCH',
    )
    expect(await failureTypeOf(bench.dispatch('read', { step: 'constructor' }))).toBe(
      'PLAN_MISMATCH',
    )
    expect(bench.world.log).toEqual([])
  })

  it('is refused when its plan is an artifact of another kind', async () => {
    const { bytes } = await bench.artifacts.get(bench.planRef)
    const planRef = await bench.artifacts.put(bytes, {
      kind: 'request',
      requestId,
      readers: [],
      createdAt: 1,
    })
    expect(await failureTypeOf(bench.dispatch('read', { planRef }))).toBe('PLAN_MISMATCH')
  })

  it('is refused when a source is of another kind or another run', async () => {
    const { resultRef } = await bench.dispatch('read')
    const { bytes, meta } = await bench.artifacts.get(resultRef ?? '')
    for (const change of [{ kind: 'answer' }, { requestId: 'req-2' }] as const) {
      const ref = await bench.artifacts.put(bytes, { ...meta, ...change })
      const sources = [bench.source('read', ref)]
      expect(await failureTypeOf(bench.dispatch('write', { sources }))).toBe('PLAN_MISMATCH')
    }
  })

  it('is refused when a source is another step result', async () => {
    const { resultRef } = await bench.dispatch('read')
    const sources = [bench.source('write', resultRef)]
    const work = bench.dispatch('write', { kind: 'undo', sources })
    expect(await failureTypeOf(work)).toBe('PLAN_MISMATCH')
  })
})
