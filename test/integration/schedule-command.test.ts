// `bulkhead schedule` as a person types it, on a whole deployment: from enabling a plan to its runs,
// its outcomes, its pauses and its end, and that the audit verifies with all of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const outcomes = [
  ...(['ran', 'late', 'failed', 'running', 'held'] as const),
  ...(['waiting', 'skipped', 'missed', 'paused'] as const),
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
  deployment = await startDeployment({ home: 'sample' })
}, 240_000)
afterAll(async () => {
  await deployment?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a schedule', () => {
  const add = ['schedule', 'add', plan, '--id', 'look', '--zone', 'Europe/Vienna'] as const

  it('runs when it is due, and says what became of it', async () => {
    const added = await json(scheduleSchema, ...add, '--every', '3s', '--note', 'trial')
    expect(added).toMatchObject({ id: 'look', spec: 'every 3s', catchUp: '3600s', note: 'trial' })
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
