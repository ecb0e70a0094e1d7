// `bulkhead schedule` as a person types it, on a whole deployment: from enabling a plan to its runs,
// its outcomes, its pauses and its end, and that the audit verifies with all of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { generateHome } from '../../examples/home/generate.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const outcomes = [
  ...(['ran', 'late', 'failed', 'running', 'held'] as const),
  ...(['waiting', 'skipped', 'missed', 'paused', 'nothing-to-report'] as const),
] as const
const recent = z.object({
  at: z.iso.datetime(),
  outcome: z.enum(outcomes),
  runId: z.string().optional(),
})
/** What interfaces promise of `schedule list`. */
const scheduleSchema = z.object({
  ...{ id: z.string(), spec: z.string(), timezone: z.string(), overlap: z.string() },
  ...{ catchUp: z.string(), next: z.iso.datetime().nullable(), recent: z.array(recent) },
  ...{ paused: z.boolean(), note: z.string() },
  approval: z.object({ id: z.string(), state: z.string() }).nullable(),
  /** Of `schedule add` alone. */
  asksEachTime: z.array(z.string()).optional(),
})
const runSchema = z.object({
  status: z.string(),
  steps: z.array(z.object({ outcome: z.string() })),
})

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-schedule-'))
const plan = join(folder, 'notes.yaml')
writeFileSync(
  plan,
  `version: 1
goal: Look at the notes
steps: [{ id: list, agent: notes, action: list, args: { recentDays: 30 } }]
answer: { from: [list] }
`,
)
/** Where nobody has a machine by accident. */
const houseZone = 'Pacific/Auckland'
const state = mkdtempSync(join(tmpdir(), 'bulkhead-house-'))
let deployment: TestDeployment
const cli = (...args: readonly string[]) => runCli([...args, '--state', deployment.state])

async function json<T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, '--json')
  expect(code, stderr).toBe(0)
  return schema.parse(JSON.parse(stdout))
}

/** Shows the schedule until it is as wanted. */
async function shown(id: string, wanted: (seen: z.infer<typeof scheduleSchema>) => boolean) {
  for (const until = Date.now() + 60_000; Date.now() < until; await delay(500)) {
    const seen = await json(scheduleSchema, 'schedule', 'show', id)
    if (wanted(seen)) return seen
  }
  throw new Error('it did not come about')
}

beforeAll(async () => {
  const home = { today: '2026-03-28', timeZone: houseZone, seed: 1, web: 'http://127.0.0.1:9' }
  await generateHome({ folder: state, ...home })
  deployment = await startDeployment({ state })
}, 240_000)
afterAll(async () => {
  await deployment?.stop()
  rmSync(state, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
})

describe('a schedule', () => {
  const add = ['schedule', 'add', plan, '--id', 'look', '--zone', 'Europe/Vienna'] as const

  it('runs when it is due, and says what became of it', async () => {
    const added = await json(scheduleSchema, ...add, '--every', '3s', '--note', 'trial')
    expect(added).toMatchObject({ id: 'look', spec: 'every 3s', catchUp: '3600s', note: 'trial' })
    expect(added.approval).toBeNull()
    // The same again is the same; something else is not, until it is removed.
    await json(scheduleSchema, ...add, '--every', '3s', '--note', 'trial')
    const other = await cli(...add, '--every', '4s')
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/SCHEDULE_CONFLICT.*\n.*schedule remove look/)
    const done = ({ outcome }: { outcome: string }) => outcome === 'ran' || outcome === 'late'
    const { recent: firings } = await shown('look', (seen) => seen.recent.some(done))
    const runId = firings.find(done)?.runId ?? ''
    expect(runId).toMatch(/^sched:look:\d{4}-\d\d-\d\dt\d\d:\d\d:\d\dz$/)
    expect(await json(runSchema, 'runs', 'show', runId)).toMatchObject({
      status: 'completed',
      steps: [{ outcome: 'settled' }],
    })
  })

  it('has nothing to report when its guard left nothing to do and its answer is empty', async () => {
    const quiet = join(folder, 'quiet.yaml')
    writeFileSync(
      quiet,
      `version: 1
goal: Keep a word of every new note
steps:
  - { id: look, agent: notes, action: search, args: { query: there-is-no-such-word } }
  - id: keep
    agent: notes
    action: append
    args: { note: found, text: one }
    when: { cel: "n > 0", with: { n: { $from: "look#/count" } } }
answer: { from: [keep], template: "{{#keep}}kept in {{note}}{{/keep}}" }
`,
    )
    // What it keeps hangs on what an agent finds: a person enables that first.
    const adding = await cli('schedule', 'add', quiet, '--id', 'quiet', '--every', '3s', '--json')
    const { approval } = scheduleSchema.parse(JSON.parse(adding.stdout))
    expect(approval?.state).toBe('open')
    expect(adding.stderr).toContain(`npx bulkhead approve ${approval?.id}`)
    // Enabling is good for every firing.
    expect(scheduleSchema.parse(JSON.parse(adding.stdout)).asksEachTime).toEqual([])
    expect(adding.stderr).not.toContain('at each firing')
    expect((await cli('approve', approval?.id ?? '')).code).toBe(0)
    const [enabled] = (await json(z.array(scheduleSchema), 'schedule', 'list')).filter(
      ({ id }) => id === 'quiet',
    )
    expect(enabled?.approval?.state).toBe('approved')
    const { recent: firings } = await shown('quiet', ({ recent: all }) =>
      all.some(({ outcome }) => outcome === 'nothing-to-report'),
    )
    expect(firings.map(({ outcome }) => outcome)).not.toContain('ran')
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'quiet')
  })

  it('says which step asks at each firing, and why, before anybody enables it', async () => {
    const tidy = join(folder, 'tidy.yaml')
    const own = '{ calendar: work, scope: this, uid: U, recurrenceId: R, ifMatch: E }'
      .replace('U', '{ $item: "/uid", as: event }')
      .replace('R', '{ $item: "/recurrenceId", as: event }')
      .replace('E', '{ $item: "/etag", as: event }')
    writeFileSync(
      tidy,
      `version: 1
goal: Throw away what is first today
steps:
  - { id: look, agent: calendar, action: list, args: { day: today, calendars: [work] } }
  - id: gone
    agent: calendar
    action: delete
    forEach: { in: { $from: "look#/events" }, as: event, max: 1 }
    args: ${own}
answer: { from: [gone] }
`,
    )
    const adding = await cli('schedule', 'add', tidy, '--at', '23:59', '--json')
    expect(adding.code, adding.stderr).toBe(0)
    // Its own name, because none was given; nothing to approve now, because only a firing knows of what.
    expect(scheduleSchema.parse(JSON.parse(adding.stdout))).toMatchObject({
      ...{ id: 'tidy', approval: null, asksEachTime: ['gone'] },
    })
    expect(adding.stderr).toMatch(
      /gone is asked about at each firing, and its run waits for you \(FLOW_R6 \S+\): calendar\.delete/,
    )
    expect(adding.stderr).toContain('  not asked if you ')
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'tidy')
  })

  it('takes the time that a recipe suggests where none is given, and no other where one is', async () => {
    const suggested = await cli('schedule', 'add', 'evening-review', '--json')
    expect(suggested.stderr).toContain(
      `every day at 21:00 in ${houseZone}, as evening-review suggests`,
    )
    expect(scheduleSchema.parse(JSON.parse(suggested.stdout))).toMatchObject({
      ...{ id: 'evening-review', spec: '0 21 * * *', timezone: houseZone },
    })
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'evening-review')
    const own = await cli('schedule', 'add', 'evening-review', '--at', '20:15', '--json')
    expect(own.stderr).not.toContain('suggests')
    expect(scheduleSchema.parse(JSON.parse(own.stdout))).toMatchObject({ spec: '15 20 * * *' })
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'evening-review')
    const none = await cli('schedule', 'add', plan)
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('say when: ')])
  })

  it('means its times where the house is, unless it is told another place', async () => {
    const house = ['schedule', 'add', plan, '--id', 'house', '--at', '07:00'] as const
    const added = await json(scheduleSchema, ...house)
    expect(added.timezone).toBe(houseZone)
    // Seven in the morning, wherever this test runs.
    const hour = new Intl.DateTimeFormat('en', {
      timeZone: houseZone,
      hour: 'numeric',
      hourCycle: 'h23',
    })
    expect(hour.format(new Date(added.next ?? 0))).toBe('07')
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'house')
  })

  it('stops while it is paused, and still runs when it is asked to', async () => {
    await json(scheduleSchema, 'schedule', 'pause', 'look', '--note', 'away')
    const [paused] = await json(z.array(scheduleSchema), 'schedule', 'list')
    expect(paused).toMatchObject({ id: 'look', paused: true, next: null, note: 'away' })
    await shown('look', (seen) => seen.recent[0]?.outcome === 'paused')
    const triggered = await json(z.object({ requestId: z.string() }), 'schedule', 'trigger', 'look')
    const watched = await json(runSchema, 'runs', 'watch', triggered.requestId)
    expect(watched.status).toBe('completed')
    const resumed = await json(scheduleSchema, 'schedule', 'resume', 'look')
    expect(resumed.next).not.toBeNull()
  })

  it('is filled in for a time of the past, and removed with a hint for what is mistyped', async () => {
    await json(z.object({ id: z.string() }), 'schedule', 'remove', 'look')
    await json(scheduleSchema, ...add, '--at', '07:00')
    const from = ['--from', '2026-03-28', '--to', '2026-03-29'] as const
    const { times } = await json(
      z.object({ times: z.array(z.string()) }),
      ...['schedule', 'backfill', 'look', ...from],
    )
    expect(times).toEqual(['2026-03-28T06:00:00.000Z', '2026-03-29T05:00:00.000Z'])
    const { recent: filled } = await shown(
      'look',
      (seen) => seen.recent.filter(({ outcome }) => outcome === 'late').length >= 2,
    )
    expect(filled.map(({ at }) => at)).toContain('2026-03-29T05:00:00Z')
    const mistyped = await cli('schedule', 'remove', 'loko')
    expect(mistyped.code).toBe(2)
    expect(mistyped.stderr).toContain('did you mean look?')
    await json(z.object({ removed: z.literal(true) }), 'schedule', 'remove', 'look')
    expect(await json(z.array(scheduleSchema), 'schedule', 'list')).toEqual([])
  })

  it('leaves a record that verifies', async () => {
    const verified = await json(
      z.object({ ok: z.boolean(), gaps: z.array(z.unknown()) }),
      ...[...['audit', 'verify']],
    )
    expect(verified).toMatchObject({ ok: true, gaps: [] })
  })
})
