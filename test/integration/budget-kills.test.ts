// Budgets of a notary that is killed while callers ask for effects: as the file lies there, before any
// notary mends anything, every effect that a row tells of is counted, once, and nothing else is.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { admitReply, authorizeReply, bootReply, requestReply } from '../../notary/contract.ts'
import { compileSource } from '../../plan/compile.ts'
import { askNotary, createNotaryProcess, type NotaryProcess } from '../support/notary-process.ts'
import { decide } from '../support/policy.ts'

let notary: NotaryProcess
beforeAll(async () => {
  notary = await createNotaryProcess([{ agent: 'notes', n: 0 }])
  await notary.start()
})
afterAll(() => notary.stop())

const kills = 12
const args = { note: 'daily', text: 'kept' }
const source = `version: 1
goal: Keep a line
steps:
  - { id: keep, agent: notes, action: append, args: ${JSON.stringify(args)} }
answer: { from: [keep] }
`

/** What the file says of effects, three times over. */
function counted() {
  const db = new Database(join(notary.folder, 'audit.db'), { readonly: true })
  const number = (sql: string) => db.prepare<[], number>(sql).pluck().get() ?? 0
  const found = {
    intents: number(`SELECT count(*) FROM audit WHERE kind = 'intent'`),
    charges: number('SELECT count(*) FROM charge'),
    day: number(`SELECT coalesce(sum(used), 0) FROM budget WHERE span = 'day'`),
    month: number(`SELECT coalesce(sum(used), 0) FROM budget WHERE span = 'month'`),
  }
  db.close()
  return found
}

it('are neither lost nor doubled, wherever it was', async () => {
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const { plan, digest: planDigest } = compiled
  const [supervisor, cli, worker] = await Promise.all(
    ['supervisor', 'cli', 'worker'].map((account) => notary.enter(account)),
  )
  if (supervisor === undefined || cli === undefined || worker === undefined) throw new Error('bus')
  const { receiptKey } = notary
  const boot = {
    agent: 'notes',
    n: 0,
    bootEpoch: 'epoch-0001',
    running: true,
    nkey: 'U',
    receiptKey,
  }
  const state: { over: boolean; granted: number; next: number } = {
    over: false,
    granted: 0,
    next: 0,
  }
  /** Asks on until it is answered: after a kill for the same effect again, as a worker would. */
  const produce = async () => {
    while (!state.over) {
      state.next += 1
      const requestId = `r-${state.next}`
      const asked = {
        requestId,
        kind: 'plan',
        name: 'mine',
        source,
        inputs: {},
        priority: 'MEDIUM',
      }
      const step = { requestId, planDigest, kind: 'do', op: 'run', step: 'keep', iteration: 0 }
      const once = async () => {
        await askNotary(cli, 'request', asked, requestReply)
        await askNotary(worker, 'admit', { requestId, plan }, admitReply)
        return askNotary(worker, 'authorize', { ...step, args, sources: [] }, authorizeReply)
      }
      for (let tries = 0; tries < 4 && !state.over; tries += 1) {
        const reply = await once().catch(() => undefined)
        if (reply?.status === 'AUTHORISED') state.granted += 1
        if (reply !== undefined) break
        await delay(10)
      }
    }
  }
  await askNotary(supervisor, 'boot', boot, bootReply)
  const running = Array.from({ length: 6 }, produce)
  for (let kill = 0; kill < kills; kill += 1) {
    const before = state.granted
    await expect.poll(() => state.granted, { timeout: 20_000, interval: 1 }).toBeGreaterThan(before)
    await delay(Math.random() * 40)
    await notary.end('SIGKILL')
    const { intents, ...sums } = counted()
    expect(sums).toEqual({ charges: intents, day: intents, month: intents })
    await notary.start()
  }
  state.over = true
  await Promise.all(running)
  await notary.end('SIGTERM')
  const { intents, ...sums } = counted()
  expect(sums).toEqual({ charges: intents, day: intents, month: intents })
  expect(intents).toBeGreaterThanOrEqual(kills)
})
