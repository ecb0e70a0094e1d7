// What the notary answers where there is nothing to decide on: a message that cannot be read, and one
// that is too old, because a clock is wrong. The second is no verdict: whoever asked asks again.

import { describe, expect, it } from 'vitest'
import { isOutage } from '../../notary/codes.ts'
import { notaryCalls } from '../../notary/permissions.ts'
import { serveNotary } from '../../notary/serve.ts'
import type { Bus } from '../../security/bus.ts'
import { createHarness } from './harness.ts'

type Serving = Parameters<Bus['serve']>

it.each(notaryCalls)('tells what is unreadable from what is too old: %s', async (call) => {
  const harness = await createHarness()
  const served = new Map<string, Serving[2]>()
  const bus: Pick<Bus, 'serve' | 'publish'> = {
    serve: (subject, _handler, options) => void served.set(subject, options),
    publish: () => undefined,
  }
  serveNotary(bus, harness.notary)
  const answer = (code: 'MALFORMED' | 'EXPIRED_MESSAGE') =>
    served.get(`notary.${call}.*`)?.onMalformed?.(code)
  const status = call === 'authorize' ? 'DENIED' : 'REFUSED'
  expect(answer('MALFORMED')).toMatchObject({ status, code: 'MALFORMED' })
  expect(answer('EXPIRED_MESSAGE')).toMatchObject({ status, code: 'EXPIRED_MESSAGE' })
  expect([isOutage('MALFORMED'), isOutage('EXPIRED_MESSAGE')]).toEqual([false, true])
  await harness.close()
})

it('passes a heartbeat on under the name that the server mapped, and answers nobody', async () => {
  const harness = await createHarness()
  const served = new Map<string, Serving[1]>()
  const published: unknown[] = []
  serveNotary(
    {
      serve: (subject, handler) => void served.set(subject, handler),
      publish: (...message) => void published.push(message),
    },
    harness.notary,
  )
  const payload = {
    ...{ kind: 'heartbeat', bootEpoch: 'epoch-0001', executed: 3, failed: 1 },
    ...{ meanMs: 1.5, memoryBytes: 1, cpuMs: 1, uptimeMs: 9 },
  }
  const say = (said: unknown) =>
    served.get('evt.*.*')?.({ subject: 'evt.desk.0', payload: said, correlationId: '' })
  const rows = harness.store.size()
  expect(await say(payload)).toBeUndefined()
  const head = { receiver: 'supervisor', type: 'HEARTBEAT', correlationId: '' }
  expect(published).toEqual([
    ['supervisor.heartbeat', head, { replica: 'desk.0', heartbeat: payload }],
  ])
  expect(harness.store.size()).toBe(rows)
  for (const wrong of [
    { executed: -1 },
    { meanMs: 'fast' },
    { note: 'Dentist' },
    { failed: null },
  ]) {
    expect(await say({ ...payload, ...wrong })).toMatchObject({ code: 'MALFORMED' })
  }
  // The bound of all that an agent says.
  for (let n = 0; n < 30; n += 1) await say(payload)
  expect(published.length).toBeLessThanOrEqual(20)
  await harness.close()
})

describe('several calls in one message', () => {
  /** What the notary answers to a message of the worker's. */
  async function answersTo(name: string, payload: unknown, account = 'worker'): Promise<unknown> {
    const harness = await createHarness()
    const served = new Map<string, Serving[1]>()
    serveNotary(
      { serve: (subject, handler) => void served.set(subject, handler), publish: () => undefined },
      harness.notary,
    )
    const subject = `notary.${name}.${account}`
    const reply = await served.get(`notary.${name}.*`)?.({ subject, payload, correlationId: '' })
    await harness.close()
    return reply
  }
  const unknownRequest = {
    ...{ requestId: 'nobody', planDigest: 'A'.repeat(43), kind: 'do', step: 'look', iteration: 0 },
    ...{ op: 'run', args: {}, sources: [] },
  }
  const malformed = { status: 'DENIED', code: 'MALFORMED' }

  it('are answered in their order, each as if it had come alone', async () => {
    const alone = await answersTo('authorize', unknownRequest)
    expect(alone).toMatchObject({ status: 'DENIED', code: 'UNKNOWN_REQUEST' })
    const calls = [unknownRequest, { ...unknownRequest, op: 'begin' }, 'nothing', unknownRequest]
    expect(await answersTo('authorize', { calls })).toMatchObject({
      replies: [alone, malformed, malformed, alone],
    })
    expect(await answersTo('settle', { calls: [{ type: 'skip' }] })).toMatchObject({
      replies: [{ status: 'REFUSED', code: 'MALFORMED' }],
    })
  })

  it.each<[string, unknown]>([
    ['none', { calls: [] }],
    ['more than a message may have', { calls: Array.from({ length: 17 }, () => unknownRequest) }],
    ['with anything beside them', { calls: [unknownRequest], op: 'run' }],
  ])('are not served: %s', async (_, payload) => {
    expect(await answersTo('authorize', payload)).toMatchObject(malformed)
  })

  it('are not served inside one of them, or of a call that comes alone', async () => {
    expect(await answersTo('authorize', { calls: [{ calls: [unknownRequest] }] })).toMatchObject({
      replies: [malformed],
    })
    expect(await answersTo('admit', { calls: [] })).toMatchObject({ code: 'MALFORMED' })
  })

  it('are judged by who asks: another account may not make them', async () => {
    const payload = { calls: [unknownRequest, unknownRequest] }
    expect(await answersTo('authorize', payload, 'cli')).toMatchObject({
      replies: [{ code: 'NOT_PERMITTED' }, { code: 'NOT_PERMITTED' }],
    })
  })
})
