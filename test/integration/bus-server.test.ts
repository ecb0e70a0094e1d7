// Changing what a running bus server accepts: the real server, told by signal, believed by its own
// word. What matters to a person is that nothing under way is lost by it.

import { join } from 'node:path'
import { createUser } from '@nats-io/nkeys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Bus, connectBus } from '../../security/bus.ts'
import { type BusServer, createBusServer } from '../../supervisor/bus-server.ts'
import { type ReloadableBus, startReloadableBus } from '../support/reloadable-bus.ts'

const replicas = [{ agent: 'notes', n: 0 }]
const head = { receiver: 'test', type: 'TASK_REQUEST', correlationId: 'c1' } as const

let reloadable: ReloadableBus
let server: BusServer
const open: Bus[] = []

const enter = async (party: string) => {
  const credentials = join(reloadable.state, party, 'bus')
  const bus = await connectBus({ credentials, reconnect: false })
  open.push(bus)
  return bus
}

beforeEach(async () => {
  reloadable = await startReloadableBus(replicas)
  server = reloadable.bus
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()))
  await reloadable.stop()
})

describe('reloading the bus server', () => {
  it('loses no call that is under way between our own servers', async () => {
    const [notary, worker] = [await enter('notary'), await enter('worker')]
    let arrived = () => undefined as unknown
    const arrival = new Promise<void>((resolve) => {
      arrived = () => resolve()
    })
    let release = () => undefined as unknown
    const held = new Promise<void>((resolve) => {
      release = () => resolve()
    })
    notary.serve(
      'notary.*.*',
      async () => {
        arrived()
        await held
        return { ok: true }
      },
      { type: 'VALIDATION_RESPONSE' },
    )
    await notary.flush()
    const options = { reply: z.strictObject({ ok: z.literal(true) }), timeoutMs: 10_000 }
    const answer = worker.call('notary.head', head, {}, options)
    await arrival
    await server.reload({ accepted: new Map([['worker', [createUser().getPublicKey()]]]) })
    release()
    await expect(answer).resolves.toEqual({ ok: true })
  })

  it('takes an agent the right to the reply it owes, which is why agents are drained first', async () => {
    const agent = await connectBus({
      credentials: join(reloadable.state, 'agents', 'notes.0', 'bus'),
      reconnect: false,
    })
    open.push(agent)
    const worker = await enter('worker')
    let arrived = false
    let release = () => undefined as unknown
    const held = new Promise<void>((resolve) => {
      release = () => resolve()
    })
    agent.serve(
      'exec',
      async () => {
        arrived = true
        await held
        return { ok: true }
      },
      { type: 'TASK_RESPONSE' },
    )
    await agent.flush()
    const options = { reply: z.unknown(), timeoutMs: 1_500 }
    const answer = worker.call('agent.notes.0.exec', head, {}, options)
    answer.catch(() => undefined)
    await expect.poll(() => arrived).toBe(true)
    await server.reload()
    release()
    await expect(answer).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('drops and refuses a party that is shut out, and lets it in again', async () => {
    const worker = await enter('worker')
    await server.reload({ shutOut: new Set(['worker']) })
    await worker.closed()
    await expect(enter('worker')).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    await enter('cli')
    await server.reload({ shutOut: new Set() })
    await enter('worker')
  })

  it('keeps what an earlier change said', async () => {
    await server.reload({ shutOut: new Set(['worker']) })
    await server.reload({ accepted: new Map([['cli', [createUser().getPublicKey()]]]) })
    await expect(enter('worker')).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
  })

  it('says so when the server does not take a configuration', async () => {
    // A server cannot change its address while it runs.
    const { options } = reloadable
    const elsewhere = { ...options.identities, bus: { host: '127.0.0.1', port: 1 } }
    const wrong = createBusServer({ ...options, identities: elsewhere })
    await expect(wrong.reload()).rejects.toMatchObject({ code: 'BUS_NOT_RELOADED' })
  })
})
