// A case for each refusal of the notary about schedules, its own audit and the clock.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSteadiness } from '../../notary/steady-clock.ts'
import { openStore, type StoreOptions } from '../../notary/store.ts'
import { compileSource } from '../../plan/compile.ts'
import { firingId, inputsOfFiring } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { catalogue } from '../notary/catalogue.ts'
import type { Harness } from '../notary/harness.ts'
import { list, twoWrites } from '../notary/plans.ts'
import { answered, type NotaryCase, outcomeOf, type Reply } from './notary-case.ts'
import { decide } from './policy.ts'

const source = `
version: 1
goal: Keep what the day holds
steps: [{ id: gather, agent: desk, action: list, args: { day: today } }]
answer: { from: [gather] }
`
const zone = 'Europe/Vienna'
const seven = Date.parse('2027-02-01T06:00:00Z')
const day = 86_400_000
const hour = 3_600_000

const adding = {
  ...{ op: 'add', id: 'briefing', kind: 'plan', name: 'kept', source, inputs: {}, note: '' },
  priority: 'MEDIUM',
  spec: toScheduleSpec({ at: '07:00', zone }),
  policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
}
const call = (home: Harness, payload: object) => home.notary.schedule('cli', payload)
const pause = (home: Harness) => call(home, { op: 'pause', id: 'briefing', note: '' })
const backfill = (home: Harness, from: number, to: number) =>
  call(home, { op: 'backfill', id: 'briefing', from, to })

/** Enabled an hour before it is due. */
async function enable(home: Harness): Promise<void> {
  home.clock.time = seven - hour
  await call(home, adding)
}

function admit(home: Harness, at: number, schedule = 'briefing'): Promise<Reply> {
  const inputs = inputsOfFiring({ kind: 'plan', source, inputs: {} }, { zone, at })
  const compiled = compileSource({ kind: 'plan', source, inputs, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const requestId = firingId({ schedule, at })
  return home.notary.admit('worker', { requestId, plan: compiled.plan })
}

const schedules: readonly NotaryCase[] = [
  answered('UNKNOWN_SCHEDULE', 'a firing of a schedule that nobody enabled', async (home) => {
    await enable(home)
    home.clock.time = seven
    return admit(home, seven, 'other')
  }),
  {
    wanted: 'UNKNOWN_SCHEDULE',
    name: 'pausing the schedule of somebody else',
    async attempt(home) {
      await enable(home)
      await home.tamper("UPDATE standing SET user = 'user:other'")
      const again = await home.restart()
      const reply = await pause(again)
      await again.store.close()
      return outcomeOf(reply)
    },
  },
  answered('SCHEDULE_CONFLICT', 'other bytes under the same id', async (home) => {
    await enable(home)
    return call(home, { ...adding, source: `${source}\n` })
  }),
  answered('SCHEDULE_PAUSED', 'a firing while it is paused', async (home) => {
    await enable(home)
    await pause(home)
    home.clock.time = seven
    return admit(home, seven)
  }),
  answered('SCHEDULE_PAUSED', 'a backfill while it is paused', async (home) => {
    await enable(home)
    await pause(home)
    return backfill(home, seven - 2 * day, seven - day)
  }),
  answered('NOT_NOMINAL', 'a firing at a time that is none of its times', async (home) => {
    await enable(home)
    home.clock.time = seven + 5_000
    return admit(home, seven + 1_000)
  }),
  answered('NOT_DUE', 'a firing that is early', async (home) => {
    await enable(home)
    return admit(home, seven)
  }),
  answered('NOT_DUE', 'a firing of before it was enabled', async (home) => {
    home.clock.time = seven + 1
    await call(home, adding)
    return admit(home, seven)
  }),
  answered('NOT_DUE', 'a backfill of the future', async (home) => {
    await enable(home)
    return backfill(home, seven - day, seven + day)
  }),
  answered('NOT_DUE', 'a backfill from its later end', async (home) => {
    await enable(home)
    return backfill(home, seven - day, seven - 2 * day)
  }),
  answered('FIRING_MISSED', 'a firing later than it may be caught up', async (home) => {
    await enable(home)
    home.clock.time = seven + hour + 1
    return admit(home, seven)
  }),
]

const guardsDropped = 'DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;'

/** Opening an audit that was edited behind the notary's back. */
const reopened = (name: string, sql: string): NotaryCase => ({
  wanted: 'AUDIT_UNAVAILABLE',
  name,
  async attempt(home) {
    await home.run(twoWrites)
    await home.notary.tick()
    await home.tamper(`${guardsDropped} ${sql}`)
    const again = await home.restart()
    await again.store.close()
    return 'OPENED'
  },
})

const last = '(SELECT max(seq) FROM audit)'

/** A store on its own, because the harness has neither a full disk nor an uptime. */
async function withStore(
  home: Harness,
  options: Pick<StoreOptions, 'maxPages' | 'isSteady'>,
  attempt: (
    append: (purpose: 'effect' | 'fact', rows: number) => Promise<string>,
  ) => Promise<string>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-notary-'))
  const seal = await createHeadSealer(home.keys.audit)
  const store = openStore({ folder, clock: home.clock, seal, reserveBytes: 4_096, ...options })
  const entry = { actor: 't', subject: 't', correlation: '', body: {} }
  try {
    return await attempt((purpose, rows) =>
      store.commit(purpose, (writer) => {
        for (let n = 0; n < rows; n += 1) writer.append({ kind: 'message', ...entry })
        return 'RECORDED'
      }),
    )
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What is recorded `waits` after one another, the first right after the wall clock jumped. */
const jumped = (name: string, waits: readonly number[]): NotaryCase => ({
  wanted: 'CLOCK_MOVED',
  name,
  async attempt(home) {
    const now = { wall: home.clock.time, uptime: 0 }
    const isSteady = createSteadiness(
      () => now.wall,
      () => now.uptime,
    )
    return withStore(home, { isSteady }, async (append) => {
      now.wall += 60_000
      for (const wait of waits) {
        await append('fact', 1).catch(() => undefined)
        now.wall += wait
        now.uptime += wait
      }
      return append('fact', 1)
    })
  },
})

const recording: readonly NotaryCase[] = [
  {
    wanted: 'AUDIT_UNAVAILABLE',
    name: 'an effect after the disk was full',
    attempt: (home) =>
      withStore(home, { maxPages: 60 }, async (append) => {
        await append('fact', 2_000).catch(() => undefined)
        return append('effect', 1)
      }),
  },
  {
    wanted: 'AUDIT_UNAVAILABLE',
    name: 'a stored plan that is not the registered one any more',
    async attempt(home) {
      const run = await home.run(twoWrites)
      await home.tamper(`UPDATE request SET plan = replace(plan, '"daily"', '"other"')`)
      const again = await home.restart()
      const args = { note: 'other', text: 'a', dryRun: false }
      const reply = await again.notary.authorize('worker', run.call('first', args))
      await again.store.close()
      return outcomeOf(reply)
    },
  },
  reopened('an audit in which a row is missing', 'DELETE FROM audit WHERE seq = 2'),
  reopened('an audit whose tail is cut off', `DELETE FROM audit WHERE seq = ${last}`),
  reopened('an audit with rows after its signed head', 'UPDATE tip SET size = size - 1'),
  reopened(
    'an audit whose last leaf was altered',
    `UPDATE audit SET leaf = '${'B'.repeat(43)}' WHERE seq = ${last}`,
  ),
  answered('CLOCK_BACKWARDS', 'a clock behind the last row', async (home) => {
    const run = await home.run(twoWrites)
    home.clock.time -= 2_001
    return run.authorize('read', list)
  }),
  jumped('a clock that was just moved', []),
  jumped('a moved clock that has not kept its time for long', [1_000]),
]

export const standingCases: readonly NotaryCase[] = [...schedules, ...recording]
