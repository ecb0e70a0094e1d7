// What people want regularly, on the sample home: all nine recipes enabled as each suggests, each fired once,
// and each answer held to what the generator's seed implies. The real hledger and the real restic in their
// sandboxes; what needs one that is not there is skipped by name.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { generateHome } from '../../examples/home/generate.ts'
import { stepsOn } from '../../examples/home/health.ts'
import { type HomeServer, startHomeServer } from '../../examples/home/server.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { runCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { daysLater, screenMinutes, spentIn } from '../support/home-facts.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { titlesAround } from '../support/today.ts'

const programs = { hledger: await installed('hledger'), restic: await installed('restic') }
for (const [name, real] of Object.entries(programs)) {
  if ('version' in real) console.info(`${name} ${real.version}`)
}
const commandOf = (name: keyof typeof programs) => {
  const real = programs[name]
  return 'missing' in real ? undefined : real.command
}

/** Recipe -> the program that its agent runs, and what `schedule add` makes of its suggestion. */
const wanted: Readonly<
  Record<string, { readonly spec: string; readonly needs?: keyof typeof programs }>
> = {
  'morning-briefing': { spec: '30 7 * * *' },
  'evening-review': { spec: '0 21 * * *' },
  'week-ahead': { spec: '0 18 * * 0' },
  'weekly-spending': { spec: '0 8 * * 1', needs: 'hledger' },
  'bill-reminders': { spec: '15 8 * * 1', needs: 'hledger' },
  'sleep-and-activity': { spec: '30 8 * * *' },
  'screen-time-limits': { spec: '30 21 * * *' },
  'nightly-backup-check': { spec: '30 3 * * *', needs: 'restic' },
  'monthly-restore-drill': { spec: '0 4 1 * *', needs: 'restic' },
}

const added = z.object({
  ...{ id: z.string(), recipe: z.string(), spec: z.string(), timezone: z.string() },
  ...{ next: z.iso.datetime(), approval: z.null(), asksEachTime: z.array(z.string()) },
})
const triggered = z.object({ requestId: z.string() })
const listed = z.array(
  z.object({
    id: z.string(),
    recent: z.array(z.object({ outcome: z.string(), runId: z.string().optional() })),
  }),
)

const seed = 1
const today = new Date().toISOString().slice(0, 10)
const state = mkdtempSync(join(tmpdir(), 'bulkhead-sample-'))
const data = (agent: string) => join(state, 'agents', agent, 'data')
const textOf = (agent: string, file: string) => readFileSync(join(data(agent), file), 'utf8')

let web: HomeServer
let deployment: TestDeployment

async function json<T>(shape: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await runCli([...args, '--state', state, '--json'])
  const parsed = shape.safeParse(stdout === '' ? undefined : JSON.parse(stdout))
  if (!parsed.success) throw new Error(`${args.join(' ')}: ${stderr}${stdout}`)
  return parsed.data
}
const run = (recipe: string, ...inputs: readonly string[]) =>
  json(runSchema, 'run', recipe, ...inputs.flatMap((one) => ['--input', one]))

/** Name -> the run of its one firing. */
const fired = new Map<string, z.infer<typeof runSchema>>()
const answerOf = (name: string) => fired.get(name)?.answer ?? ''

beforeAll(async () => {
  web = await startHomeServer({ seed })
  const home = { today, timeZone: 'UTC', seed, web: web.origin }
  const found = { hledger: commandOf('hledger'), restic: commandOf('restic') }
  await generateHome({ folder: state, ...home, programs: found })
  deployment = await startDeployment({ state })
}, installTimeoutMs)
afterAll(async () => {
  await deployment?.stop()
  await web.close()
  rmSync(state, { recursive: true, force: true })
})

describe('all that recipes suggest, enabled at once', { timeout: installTimeoutMs }, () => {
  test('is enabled without a word of when, asks nobody, and each firing ran', async () => {
    const suggested = listRecipes().filter(({ schedule }) => schedule !== undefined)
    const names = suggested.map(({ name }) => name).filter((name) => name !== 'sync-calendars')
    expect(new Set(names)).toEqual(new Set(Object.keys(wanted)))
    const began = new Map<string, string>()
    for (const name of names) {
      const { next, ...rest } = await json(added, 'schedule', 'add', name)
      expect(Date.parse(next)).toBeGreaterThan(Date.now() - 60_000)
      expect(rest).toEqual({
        ...{ id: name, recipe: name, spec: wanted[name]?.spec, timezone: 'UTC' },
        ...{ approval: null, asksEachTime: [] },
      })
      began.set(name, (await json(triggered, 'schedule', 'trigger', name)).requestId)
    }
    for (const [name, id] of began) fired.set(name, await json(runSchema, 'runs', 'watch', id))
    const schedules = await json(listed, 'schedule', 'list')
    expect(new Set(schedules.map(({ id }) => id))).toEqual(new Set(names))
    const outcomes = schedules.map(({ id, recent }) => {
      const firing = recent.find(({ runId }) => runId === began.get(id))
      return [id, firing?.outcome] as const
    })
    console.info(outcomes.map(([id, outcome]) => `${id}: ${outcome}`).join('\n'))
    for (const [name, outcome] of outcomes) {
      const needs = wanted[name]?.needs
      const isThere = needs === undefined || commandOf(needs) !== undefined
      expect([name, outcome]).toEqual([name, isThere ? 'ran' : 'failed'])
    }
  })
})

/** The day of a firing, which is that of its request. */
const dayOf = (name: string) =>
  /\d{4}-\d{2}-\d{2}/.exec(fired.get(name)?.requestId ?? '')?.[0] ?? today
const noon = (day: string) => new Date(`${day}T12:00:00Z`)

describe('each answer', { timeout: installTimeoutMs }, () => {
  const titlesFrom = (day: string, days: number) =>
    Array.from({ length: days }, (_, n) =>
      titlesAround(data('calendar'), noon(daysLater(day, n))),
    ).flat()
  const needs = (name: keyof typeof programs, skip: (reason: string) => never) => {
    const real = programs[name]
    if ('missing' in real) skip(real.missing)
  }

  test('of the morning has the titles of the day, the weather and the news, and is kept', () => {
    const titles = titlesFrom(dayOf('morning-briefing'), 1)
    expect(titles.length).toBeGreaterThanOrEqual(4)
    const answer = answerOf('morning-briefing')
    for (const title of titles) expect(answer).toContain(title)
    expect(answer).toMatch(/Weather\n {2}-?[\d.]+ to -?[\d.]+ °C, [a-z]/)
    expect(answer).toMatch(/News\n {2}[A-Z]/)
    expect(textOf('notes', 'briefings.md')).toContain(titles[0])
  })

  test('of the evening has two days and what is late', () => {
    const titles = titlesFrom(dayOf('evening-review'), 2)
    const answer = answerOf('evening-review')
    for (const title of titles) expect(answer).toContain(title)
    expect(answer).toContain('Answer the school about the trip (late)')
    expect(answer).toContain('Water the plants')
    expect(textOf('notes', 'evenings.md')).toContain('- [ ] Call Grandma')
  })

  test('of the week has seven days, with those that are whole days, and no eighth', () => {
    const day = dayOf('week-ahead')
    const answer = answerOf('week-ahead')
    const titles = titlesFrom(day, 7)
    expect(titles.length).toBeGreaterThan(25)
    for (const title of titles) expect(answer).toContain(title)
    expect(answer).toContain(`${daysLater(today, 6)}  Grandparents are here`)
    expect(answer).not.toContain(`${daysLater(day, 7)}T`)
    expect(answer).toContain('Household insurance')
  })

  test('about money has the sum of the journal, refunds taken off, and a bar for each', (context) => {
    needs('hledger', context.skip)
    const day = dayOf('weekly-spending')
    const from = daysLater(day, -6)
    const spent = spentIn(textOf('finance', 'main.journal'), from, day)
    const cents = [...spent.values()].reduce((sum, one) => sum + one, 0)
    const answer = answerOf('weekly-spending')
    const [, said] = /^Spending from (?:\S+) to before (?:\S+): (-?[\d.]+) EUR$/m.exec(answer) ?? []
    expect(answer).toContain(`Spending from ${from} to before ${daysLater(day, 1)}: `)
    expect(Number(said)).toBeCloseTo(cents / 100, 1)
    expect(spent.size).toBeGreaterThan(0)
    for (const [account, own] of spent) {
      if (Math.abs(own) < 1) continue
      const [, money] = new RegExp(`${account} (-?[\\d.]+) EUR\\n`).exec(answer) ?? []
      expect(Number(money), account).toBeCloseTo(own / 100, 1)
    }
    expect(answer).toMatch(/█{20} \S+/)
  })

  test('about bills has the one of once a year, and keeps it', (context) => {
    needs('hledger', context.skip)
    // A year before the 29th of February there was none: it was paid on the 28th.
    const due = [14, 13].map((n) => daysLater(today, n)).join('|')
    const line = new RegExp(`(?:${due}) {2}Household insurance -184\\.20 EUR, yearly`)
    expect(answerOf('bill-reminders')).toMatch(line)
    expect(textOf('notes', 'bills.md')).toContain('Household insurance -184.20 EUR')
  })

  test('about sleep and steps has a fortnight as pictures, the missing night as a gap', async () => {
    const export_ = { from: daysLater(today, -42), to: today, timeZone: 'UTC', seed }
    const years = { ...export_, pulseMinutes: 10 }
    const days = Array.from({ length: 14 }, (_, n) => daysLater(today, n - 13))
    const made = days.map((day) => stepsOn(years, day)).filter((steps) => steps > 0)
    const mean = made.reduce((sum, one) => sum + one, 0) / made.length
    const { answer: said } = await run('sleep-and-activity', `day=${today}`)
    const answer = said ?? ''
    const [, steps] = /steps {2}[▁-█ ]{14} {2}([\d.]+) a day/.exec(answer) ?? []
    expect(Number(steps)).toBeCloseTo(mean, 2)
    const [, nights = ''] = /sleep {2}([▁-█ ]{14}) {2}/.exec(answer) ?? []
    expect([...nights].map((one) => one === ' ').indexOf(true)).toBe(13 - 5)
    expect(answer).toMatch(new RegExp(`${daysLater(today, -2)}: restingHeartRate 7\\d`))
    // The firing asked about its own day, and took the same export in.
    expect(answerOf('sleep-and-activity')).toMatch(/pulse {2}[▁-█ ]{14}/)
    const yesterday = await run('sleep-and-activity', `day=${daysLater(today, -1)}`)
    expect(yesterday.answer).toContain(`${stepsOn(years, daysLater(today, -1))} steps, `)
  })

  test('about the screen has the minutes of that day, the limits and what was over them', async () => {
    // On some days nothing was recorded, on others no film.
    const days = [-1, -2, -3, -4, -5].map((n) => daysLater(today, n))
    const day = days.find((one) => screenMinutes(one, seed).films > 1)
    if (day === undefined) throw new Error('five days without a film')
    const { active, films } = screenMinutes(day, seed)
    const { answer: said } = await run('screen-time-limits', `day=${day}`, 'videoMinutes=1')
    const answer = said ?? ''
    expect(answer).toContain(`${day}: ${active} minutes in front of a screen (UTC)`)
    expect(answer).toContain(`OVER  Video: ${films} of 1 minutes`)
    expect(answer).toMatch(/█+\S* Video /)
    expect(answer).toMatch(/█{20} \S+ [\d.]+ min/)
    expect(answerOf('screen-time-limits')).toContain('minutes in front of a screen (UTC)')
  })

  test('about backups says that they are recent, and names the file in which a byte is another', async (context) => {
    needs('restic', context.skip)
    const answer = answerOf('nightly-backup-check')
    expect(answer).toContain('Every backup is recent.')
    expect(answer).toMatch(/OK {2}home \(restic\): 5 backups, the last \S+, [\d.]+ hours ago/)
    expect(answer).toMatch(
      /home is sound, as far as it was read tonight \(restic [\d.]+, part \d of 7\)/,
    )
    const all = join(state, 'agents', 'backup', 'repositories')
    const files = readdirSync(join(all, 'home'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(all, 'home'), join(entry.parentPath, entry.name)))
    const bytes = (name: string, file: string) => readFileSync(join(all, name, file))
    const changed = files.find((file) => !bytes('home', file).equals(bytes('damaged', file)))
    const damaged = await run('nightly-backup-check', 'repository=damaged', 'nights=1')
    expect(damaged.answer).toContain('damaged IS DAMAGED.')
    expect(damaged.answer).toContain(`${changed}, in which there is a part of`)
    expect(damaged.answer).toMatch(/\n {4}\/diary-\S+\.md\n/)
  })

  test('about restoring says which notes were restored and are what was backed up', (context) => {
    needs('restic', context.skip)
    const answer = answerOf('monthly-restore-drill')
    expect(answer).toContain('5 of 5 restored files are what was backed up (home, ')
    expect(
      answer.match(/^ {2}\/(?:diary|house|ideas|shopping)\S*\.md \(\d+ bytes\)$/gm),
    ).toHaveLength(5)
    expect(answer).toMatch(/Size of the last backups: [▁-█]{5}/)
  })
})

describe('a reminder', { timeout: installTimeoutMs }, () => {
  test('is made with a time and without one', async () => {
    const timed = await run('remind-me', 'what=Buy bread', `when=${daysLater(today, 3)}T17:00`)
    expect(timed.answer).toContain(
      `I will remind you: Buy bread, ${daysLater(today, 3)} 17:00 (list reminders)`,
    )
    const some = await run('remind-me', 'what=Learn to whistle')
    expect(some.answer).toContain('I will remind you: Learn to whistle (list reminders)')
    const list = textOf('reminders', 'reminders.ics').replaceAll('\r', '')
    const todo = list.split('BEGIN:VTODO').find((one) => one.includes('SUMMARY:Learn to whistle'))
    expect(todo).toBeDefined()
    expect(todo).not.toMatch(/^DUE/m)
    const { answer } = await run('week-ahead')
    expect(answer).toContain(`${daysLater(today, 3)} 17:00  Buy bread`)
    expect(answer).toContain('  Learn to whistle')
  })
})

describe('the home of a machine without hledger and restic', { timeout: installTimeoutMs }, () => {
  test('is whole, and what needs them fails with the command to type', async () => {
    const bare = mkdtempSync(join(tmpdir(), 'bulkhead-bare-'))
    await generateHome({ folder: bare, today, timeZone: 'UTC', seed, web: web.origin })
    const other = await startDeployment({ state: bare })
    try {
      for (const [recipe, agent, code] of [
        ['nightly-backup-check', 'backup', 'AGENT_UNAVAILABLE'],
        ['monthly-restore-drill', 'backup', 'AGENT_UNAVAILABLE'],
        ['weekly-spending', 'finance', 'UNAVAILABLE'],
      ] as const) {
        const failed = await runCli(['run', recipe, '--state', bare])
        expect([recipe, failed.code]).toEqual([recipe, 1])
        expect(failed.stdout).toContain(`failed (${code})`)
        expect(failed.stdout).toContain(`next: npx bulkhead agents connect ${agent}`)
      }
      const week = await runCli(['run', 'week-ahead', '--state', bare])
      expect([week.code, week.stdout]).toEqual([0, expect.stringContaining('The week from ')])
    } finally {
      await other.stop()
      rmSync(bare, { recursive: true, force: true })
    }
  })
})
