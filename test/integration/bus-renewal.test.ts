// A party whose credentials are renewed while it is connected: it moves to a new connection, and
// neither who calls it nor whom it calls notices. Real server, real identities of both generations.

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Bus, connectBus } from '../../security/bus.ts'
import { credentialFolders } from '../../security/pki/identities.ts'
import {
  distrustPredecessor,
  drawSuccessor,
  dropSuccessor,
  installAuthority,
  installParties,
  type Successor,
  type SuccessorKind,
  trustSuccessor,
} from '../../security/pki/successor.ts'
import { type ReloadableBus, startReloadableBus } from '../support/reloadable-bus.ts'

const replicas = [{ agent: 'notes', n: 0 }]
const folders = credentialFolders(replicas)
const head = { receiver: 'test', type: 'TASK_REQUEST', correlationId: 'c1' } as const
/** Longer than a busy machine takes for a whole renewal. */
const options = { reply: z.strictObject({ n: z.number() }), timeoutMs: 60_000 }

/** What is asked over the old connections is answered within it; a rotation has seconds at least. */
const overlapMs = 1_500

let server: ReloadableBus
let saved: string
const open: Bus[] = []

const enter = async (party: string, renew = true) => {
  const credentials = join(server.state, party, 'bus')
  const bus = await connectBus({ credentials, reconnect: true, renew })
  open.push(bus)
  return bus
}

beforeEach(async () => {
  server = await startReloadableBus(replicas)
  saved = mkdtempSync(join(tmpdir(), 'bulkhead-saved-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()))
  await server.stop()
  rmSync(saved, { recursive: true, force: true })
})

/** As supervisor/rotation/identities.ts does it, without agents to wait for. */
async function begin(kind: SuccessorKind): Promise<Successor> {
  const { state } = server
  const plan = await drawSuccessor(kind, { state, folders, now: Date.now() })
  const accepted = new Map(Object.entries(plan.before).map(([account, key]) => [account, [key]]))
  const after = Object.entries(plan.after)
  const both = new Map(after.map(([account, key]) => [account, [key]]))
  await server.bus.reload({ accepted: both }, () => trustSuccessor(state))
  await server.bus.refresh({ accepted }, async () => {
    await installParties({ state, folders })
    await installAuthority(state)
  })
  return plan
}

async function end(): Promise<void> {
  await server.bus.reload({ accepted: new Map() }, () => distrustPredecessor(server.state))
  await dropSuccessor(server.state)
}

describe.each(['nkeys', 'certificates'] as const)('renewing %s', (kind) => {
  it('loses no call, and none is heard twice', async () => {
    const [notary, worker] = [await enter('notary'), await enter('worker')]
    const heard: unknown[] = []
    notary.serve(
      'notary.*.*',
      async ({ payload }) => {
        heard.push(payload)
        return { n: Number(payload) }
      },
      { type: 'VALIDATION_RESPONSE' },
    )
    await notary.flush()
    const stop = new AbortController()
    let asked = 0
    const ask = async () => {
      while (!stop.signal.aborted) {
        const n = asked++
        expect(await worker.call('notary.head', head, n, options)).toEqual({ n })
      }
    }
    // Many at once, so that some are on their way at every moment of the move.
    const asking = Promise.all(Array.from({ length: 32 }, ask))
    // Awaited below; a renewal that fails is told first.
    asking.catch(() => undefined)
    try {
      await begin(kind)
      // Each party is on its new connection once the server has seen it there.
      await expect.poll(() => server.connections('worker'), { timeout: 20_000 }).toBe(2)
      await expect.poll(() => server.connections('notary')).toBe(2)
      await delay(overlapMs)
      await end()
    } finally {
      stop.abort()
    }
    await asking
    expect(asked).toBeGreaterThan(100)
    const inOrder = heard.map(Number).toSorted((one, other) => one - other)
    expect(inOrder).toEqual(Array.from({ length: asked }, (_, index) => index))
  })

  it('answers over the old connection what was asked over it', async () => {
    const [notary, worker] = [await enter('notary'), await enter('worker')]
    let release = (_n: number) => undefined as unknown
    const held = new Promise<number>((resolve) => {
      release = resolve
    })
    let arrived = false
    notary.serve(
      'notary.*.*',
      async () => {
        arrived = true
        return { n: await held }
      },
      { type: 'VALIDATION_RESPONSE' },
    )
    await notary.flush()
    const answer = worker.call('notary.head', head, 0, options)
    // Awaited below; a connection that does not come is told first.
    answer.catch(() => undefined)
    await expect.poll(() => arrived).toBe(true)
    await begin(kind)
    await expect.poll(() => server.connections('worker'), { timeout: 20_000 }).toBe(2)
    release(7)
    await expect(answer).resolves.toEqual({ n: 7 })
    await end()
  })

  it('shuts the old identity out, and not before the end', async () => {
    cpSync(join(server.state, 'worker', 'bus'), saved, { recursive: true })
    const enterOld = async () => {
      // With the authority of today: it shall be the server that refuses.
      cpSync(join(server.state, 'worker', 'bus', 'ca.pem'), join(saved, 'ca.pem'))
      const bus = await connectBus({ credentials: saved, reconnect: false })
      open.push(bus)
      return bus
    }
    await enterOld()
    await begin(kind)
    const old = await enterOld()
    await end()
    await expect(enterOld()).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    await enter('worker')
    // A connection outlives its certificate, not its nkey.
    if (kind === 'nkeys') await old.closed()
  })
})

describe('a party that does not follow its credentials', () => {
  it('is dropped with its old nkey, and comes back by itself with the new one', async () => {
    const worker = await enter('worker', false)
    await begin('nkeys')
    await end()
    await expect.poll(() => server.connections('worker'), { timeout: 20_000 }).toBe(2)
    await worker.flush()
  })
})
