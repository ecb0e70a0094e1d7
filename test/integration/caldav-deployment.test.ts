// Calendars and reminders through a whole deployment, with a real CalDAV server behind the gateway: the
// agents ask it from their sandboxes, with a credential that they never have, and a failing run takes
// back what it wrote there.

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { reminderLists } from '../../examples/home/reminders.ts'
import { calendarOf, vienna } from '../agents/calendar-folder.ts'
import { runCli, startCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { until } from '../support/observer.ts'
import { credential, Radicale } from '../support/radicale.ts'

const program = await installed('radicale')
if ('version' in program) console.info(`radicale ${program.version}`)
const missing = 'missing' in program ? program.missing : undefined

describe.skipIf(missing !== undefined)(
  `calendars and reminders in a deployment${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: installTimeoutMs },
  () => {
    let state: string
    let deployment: TestDeployment
    let server: Radicale

    beforeAll(async () => {
      if ('missing' in program) return
      server = await Radicale.start(program)
      await server.collection('/anna/home/', 'Home', 'VEVENT')
      await server.collection('/anna/tasks/', 'Tasks', 'VTODO')
      const run = ['UID:run', vienna('DTSTART', '20261019T083000'), 'DURATION:PT30M']
      await server.send('PUT', '/anna/home/run.ics', {
        body: calendarOf([...run, 'RRULE:FREQ=WEEKLY', 'SUMMARY:Run']),
      })
      state = mkdtempSync(join(tmpdir(), 'bulkhead-caldav-'))
      for (const name of ['calendars', 'lists', 'notes']) mkdirSync(join(state, name))
      for (const name of ['calendars', 'lists']) {
        writeFileSync(join(state, name, 'timezone'), 'Europe/Vienna\n')
      }
      const lists = reminderLists({ today: '2026-10-19', seed: 1, timeZone: 'Europe/Vienna' })
      for (const [name, text] of lists) writeFileSync(join(state, 'lists', `${name}.ics`), text)
      const remote = [`    url: ${server.origin}`, '    credential: env://BULKHEAD_TEST_CALDAV']
      const settings = [
        ...['timezone: Europe/Vienna', 'agents:', '  notes:', '    folder: notes'],
        ...['  calendar:', '    folder: calendars', ...remote],
        ...['  reminders:', '    folder: lists', ...remote],
      ]
      writeFileSync(join(state, 'bulkhead.yaml'), `${settings.join('\n')}\n`)
      deployment = await startDeployment({ state, env: { BULKHEAD_TEST_CALDAV: credential } })
    }, installTimeoutMs)

    afterAll(async () => {
      if (missing !== undefined) return
      await deployment.stop()
      await server.stop()
      rmSync(state, { recursive: true, force: true })
    })

    async function run(...args: string[]) {
      const { code, stdout, stderr } = await runCli(['run', ...args, '--state', state, '--json'])
      const parsed = runSchema.safeParse(stdout === '' ? undefined : JSON.parse(stdout))
      if (!parsed.success) throw new Error(`${code}: ${stderr}${stdout}`)
      return { code, result: parsed.data }
    }
    async function runPlan(steps: string) {
      const file = join(state, 'plan.yaml')
      writeFileSync(file, `version: 1\ngoal: g\nsteps:\n${steps}answer: { from: [] }\n`)
      return run(file)
    }

    test('are synced, and the week is told over the change of the clocks', async () => {
      const synced = await run('sync-calendars')
      expect(synced.code, JSON.stringify(synced.result)).toBe(0)
      expect(synced.result.answer).toContain('Home: 1 events, 1 changed, 0 gone\n')
      expect(synced.result.answer).toContain('Tasks: 0 reminders, 0 changed, 0 gone\n')
      const { code, result } = await run(
        'week-ahead',
        '--input',
        'day=2026-10-19',
        '--input',
        'days=14',
      )
      expect(code).toBe(0)
      expect(result.answer).toContain('2026-10-19T08:30:00+02:00  Run\n')
      expect(result.answer).toContain('2026-10-26T08:30:00+01:00  Run\n')
      expect(result.answer).toContain('2026-10-19 18:00  Call Grandma')
      expect(result.answer).toContain('calendars of the server as of ')
    })

    test('take a reminder where it is told to go, and the evening finds it', async () => {
      const what = ['--input', 'what=Buy bread', '--input', 'when=2026-10-19T17:00']
      const { code, result } = await run('remind-me', ...what, '--input', 'list=Tasks')
      expect(code, JSON.stringify(result)).toBe(0)
      expect(result.answer).toBe('I will remind you: Buy bread, 2026-10-19 17:00 (list Tasks)\n')
      const own = await run('remind-me', '--input', 'what=Sweep', '--input', 'when=2026-10-19')
      expect(own.code).toBe(0)
      expect(readFileSync(join(state, 'lists', 'reminders.ics'), 'utf8')).toContain('SUMMARY:Sweep')
      const evening = await run('evening-review', '--input', 'day=2026-10-19')
      expect(evening.code, JSON.stringify(evening.result)).toBe(0)
      expect(evening.result.answer).toContain('2026-10-19 17:00  Buy bread')
      expect(readFileSync(join(state, 'notes', 'evenings.md'), 'utf8')).toContain('- [ ] Buy bread')
    })

    test('are as they were on the server when the run fails that wrote there', async () => {
      const written = `
  - id: tea
    agent: calendar
    action: create
    args: { calendar: Home, summary: Tea, start: "2026-10-20T16:00", durationMinutes: 30 }
  - id: cake
    agent: reminders
    action: add
    args: { list: Tasks, title: Cake }
`
      const fail = `
  - id: fail
    agent: notes
    action: read
    args: { note: nowhere }
    needs: [tea, cake]
`
      const { code, result } = await runPlan(written + fail)
      expect([code, result.status]).toEqual([1, 'failed'])
      for (const id of ['tea', 'cake']) {
        expect(result.steps.find((step) => step.id === id)).toMatchObject({
          outcome: 'settled',
          undo: 'settled',
        })
      }
      const synced = await run('sync-calendars')
      expect(synced.result.answer).toContain('Home: 1 events, 0 changed, 0 gone')
      expect(synced.result.answer).toContain('Tasks: 1 reminders, 0 changed, 0 gone')
    })

    test('are changed after one question where guests may be told, and after none where nobody is', async () => {
      const bob = ['ORGANIZER:mailto:anna@example.org', 'ATTENDEE:mailto:bob@example.org']
      for (const [name, hour, ...people] of [
        ['alone', 11],
        ['bob', 15, ...bob],
      ] as const) {
        const when = vienna('DTSTART', `20261124T${hour}0000`)
        const talk = [`UID:${name}`, when, 'DURATION:PT1H', `SUMMARY:Talk ${name}`, ...people]
        await server.send('PUT', `/anna/home/${name}.ics`, { body: calendarOf(talk) })
      }
      expect((await run('sync-calendars')).code).toBe(0)
      const cli = (...args: string[]) => runCli([...args, '--state', state, '--json'])
      const asked = async (...more: string[]) =>
        z
          .array(z.object({ id: z.string() }))
          .parse(JSON.parse((await cli('approvals', ...more)).stdout))
      const inputs = (at: string) =>
        Object.entries({ calendar: 'Home', at, to: '2026-11-27T15:00' }).flatMap(
          ([name, value]) => ['--input', `${name}=${value}`],
        )
      const moved = (name: string) => server.text(`/anna/home/${name}.ics`)

      const alone = await run('move-event', ...inputs('2026-11-24T11:00'))
      expect([alone.code, await asked('--all')], JSON.stringify(alone.result)).toEqual([0, []])
      expect(await moved('alone')).toContain('20261127T150000')

      const atThree = ['run', 'move-event', ...inputs('2026-11-24T15:00')]
      const running = startCli([...atThree, '--state', state, '--json'])
      await until('a person is asked', async () => (await asked()).length > 0, installTimeoutMs)
      expect(await moved('bob')).toContain('20261124T150000')
      const [{ id } = { id: '' }] = await asked()
      const { stdout: card } = await runCli(['approvals', 'show', id, '--state', state])
      expect(card).toContain('calendar.reschedule')
      expect((await cli('approve', id)).code).toBe(0)
      const { code, stdout } = await running.ended
      expect([code, await asked('--all')]).toMatchObject([0, [{ id }]])
      expect(runSchema.parse(JSON.parse(stdout)).answer).toContain('Others are in it')
      expect(await moved('bob')).toContain('20261127T150000')

      const found =
        '{ id: it, agent: calendar, action: find, args: { at: "2026-11-27", with: bob } }'
      const unasked = await runPlan(`
  - ${found}
  - id: moved
    agent: calendar
    action: update
    when: { cel: "event != null", with: { event: { $from: "it#/event" } } }
    args:
      calendar: Home
      uid: { $from: "it#/event/uid" }
      scope: this
      ifMatch: { $from: "it#/event/etag" }
      patch: { start: "2026-11-28T15:00" }
`)
      expect(unasked.result.steps.at(-1)).toMatchObject({ outcome: 'failed', code: 'TELLS_OTHERS' })
      expect(await moved('bob')).toContain('20261127T150000')
      const said = await runCli(['runs', 'show', unasked.result.requestId, '--state', state])
      expect(said.stdout).toContain('next: npx bulkhead agents show calendar')
    })

    test('are connected when the server answers with them by name, and not when one refuses in its place', async () => {
      const connect = () =>
        runCli(['agents', 'connect', 'calendar', '--state', state, '--json', ...settings])
      const settings = ['--config', join(state, 'bulkhead.yaml')]
      const good = await connect()
      expect(good.code, good.stderr).toBe(0)
      expect(JSON.parse(good.stdout).attempts).toEqual([
        { action: 'collections', state: 'ok', message: 'on the server: "Home"' },
        { action: 'list', state: 'ok', message: expect.stringContaining('Europe/Vienna') },
      ])
      await server.stop()
      const other = createServer((_, response) => response.writeHead(401).end())
      other.listen(Number(new URL(server.origin).port), '127.0.0.1')
      await once(other, 'listening')
      const bad = await connect().finally(() => other.close())
      expect(bad.code).toBe(1)
      expect(JSON.parse(bad.stdout).attempts).toMatchObject([
        {
          action: 'collections',
          state: 'FAILED',
          message: expect.stringContaining('is the credential right'),
          next: expect.stringMatching(/^npx bulkhead runs show connect-calendar-/),
        },
        { action: 'list', state: 'ok' },
      ])
      expect(bad.stderr).toContain('calendar cannot work with its settings')
    })

    test('never have the credential: of the whole state it stands in files of the gateway alone', () => {
      const holders = readdirSync(deployment.state, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => readFileSync(file).includes(credential))
        .map((file) => dirname(file))
      expect(holders.length).toBeGreaterThan(0)
      expect([...new Set(holders)]).toEqual([join(deployment.state, 'gateway', 'secrets')])
      expect(deployment.said()).not.toContain(credential)
    })
  },
)
