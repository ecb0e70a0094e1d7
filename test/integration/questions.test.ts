// What a person meets when an agent cannot decide, in the sample home with everything real: the question,
// what there is to choose from, and the words to type; a stale edit, and what to do about it.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

let home: TestDeployment
let day: string
beforeAll(async () => {
  home = await startDeployment({ home: 'sample' })
  day = new Date().toISOString().slice(0, 10)
})
afterAll(async () => {
  await home.stop()
  rmSync(home.state, { recursive: true, force: true })
})

async function run(what: string, inputs: Readonly<Record<string, string>> = {}) {
  const given = Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`])
  const { code, stdout, stderr } = await runCli([
    ...['run', what, ...given, '--state', home.state, '--json'],
  ])
  const parsed = runSchema.safeParse(stdout === '' ? undefined : JSON.parse(stdout))
  if (!parsed.success) throw new Error(`${code}: ${stderr}${stdout}`)
  const outcomeOf = (id: string) => parsed.data.steps.find((step) => step.id === id)?.outcome
  return { code, result: parsed.data, answer: parsed.data.answer ?? '', outcomeOf }
}

describe('moving an event', () => {
  const to = '2027-05-06T18:00'

  it('asks which, where several fit, and moves the one that was chosen by its name', async () => {
    const asked = await run('move-event', { at: day, to })
    expect([asked.code, asked.result.status, asked.outcomeOf('moved')]).toEqual([
      ...[0, 'completed', 'skipped'],
    ])
    expect(asked.answer).toContain('NOTHING WAS MOVED.')
    const choices = [...asked.answer.matchAll(/--input event=([0-9a-f]{12}) {3}(\S+) (\S+) {2}"/g)]
    expect(choices.length).toBeGreaterThan(1)
    expect(asked.answer).toContain(`${choices.length} events fit`)
    const [, event = '', when] = choices.find(([, , , clock]) => clock !== 'all') ?? []
    expect(when).toBe(day)
    const moved = await run('move-event', { at: day, to, event })
    expect([moved.code, moved.outcomeOf('moved')]).toEqual([0, 'settled'])
    expect(moved.answer).toMatch(/^Moved: .*, from \S+ to 2027-05-06T18:00:00/)
    const again = await run('move-event', { at: to, to: '2027-05-06T19:00' })
    expect(again.answer).toMatch(/^Moved: .*, from 2027-05-06T18:00:00\S* to 2027-05-06T19:00:00/)
  })

  it('shows the nearest, where none fits', async () => {
    const asked = await run('move-event', { at: day, with: 'nobody at all', to })
    expect([asked.code, asked.outcomeOf('moved')]).toEqual([0, 'skipped'])
    expect(asked.answer).toContain(`Nothing fits ${day} "nobody at all".`)
    expect(asked.answer).toMatch(/\n {2}\d{4}-\d\d-\d\d \S+ .*".+"\n/)
    expect(asked.answer).toContain('--input at=<day or time>')
  })

  it('is refused by the notary, where a plan’s guard lets through that nothing was found', async () => {
    const file = join(home.state, 'guess.yaml')
    writeFileSync(
      file,
      `version: 1
goal: g
steps:
  - { id: found, agent: calendar, action: find, args: { at: "${day}" } }
  - id: moved
    agent: calendar
    action: update
    when: { cel: "it == null", with: { it: { $from: "found#/event" } } }
    args:
      calendar: work
      uid: { $from: "found#/event/uid" }
      scope: this
      ifMatch: "${'0'.repeat(43)}"
      patch: { start: "${to}" }
answer: { from: [] }
`,
    )
    const { code, result } = await run(file)
    expect([code, result.status]).toEqual([3, 'denied'])
    expect(result.steps.at(-1)).toMatchObject({ outcome: 'denied', code: 'ARGS_INVALID' })
  })
})

it('tells of a stale edit what happened and what to type', async () => {
  const file = join(home.state, 'stale.yaml')
  writeFileSync(
    file,
    `version: 1
goal: g
steps:
  - { id: all, agent: calendar, action: list, args: { day: "${day}", calendars: [work] } }
  - id: moved
    agent: calendar
    action: update
    args:
      calendar: work
      uid: { $from: "all#/events/0/uid" }
      scope: all
      ifMatch: "${'0'.repeat(43)}"
      patch: { summary: Mine }
    when: { cel: "it != null", with: { it: { $from: "all#/events/0/uid" } } }
answer: { from: [] }
`,
  )
  const { code, result } = await run(file)
  expect([code, result.status]).toEqual([1, 'failed'])
  const shown = await runCli(['runs', 'show', result.requestId, '--state', home.state])
  expect(shown.stdout).toContain('moved failed, calendar.update: somebody else changed it since')
  expect(shown.stdout).toContain('next: npx bulkhead run sync-calendars')
})

describe('agents connect', () => {
  const connect = (...args: string[]) => runCli(['agents', 'connect', ...args])
  const ofHome = () => ['--state', home.state]

  it('asks the agent itself, through a run that is recorded', async () => {
    const { code, stdout, stderr } = await connect('notes', ...ofHome())
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/notes\.list {2}ok {2}.*there are \d+ notes/),
    ])
    expect(stderr).toMatch(/run connect-notes-\S+ started/)
    const listed = await runCli(['runs', 'list', ...ofHome()])
    expect(listed.stdout).toContain('connect-notes-')
  })

  it('asks a server where one is set, and says what came of it', async () => {
    const { code, stdout } = await connect('weather', '--json', ...ofHome())
    const { attempts } = JSON.parse(stdout)
    expect(attempts).toHaveLength(1)
    expect([code, attempts[0].action]).toEqual([attempts[0].state === 'ok' ? 0 : 1, 'now'])
  })

  it('does not count as tried what is only typed, or set otherwise than the platform has it', async () => {
    const typed = await connect('notes', '--set', 'folder=.', ...ofHome())
    expect([typed.code, typed.stdout]).toEqual([0, expect.stringContaining('not tried: ')])
    const config = join(home.state, 'other.yaml')
    writeFileSync(config, 'agents:\n  notes:\n    folder: .\n')
    const other = await connect('notes', '--config', config, ...ofHome())
    expect(other.stdout).toContain(
      'not tried: the platform was started with other settings (notes.folder)',
    )
    expect(other.stderr).toContain('next: npx bulkhead down')
    const nowhere = await connect('notes', '--state', join(home.state, 'nowhere'))
    expect(nowhere.stdout).toContain('not tried: the platform is not running')
  })
})

it('agents show lists the programs of an agent, and whether they are there', async () => {
  const { code, stdout, stderr } = await runCli(['agents', 'show', 'backup', '--state', home.state])
  expect(code).toBe(0)
  const { programs } = JSON.parse(stdout)
  expect(programs.map(({ name }: { name: string }) => name)).toEqual(['restic', 'borg'])
  for (const { name, state } of programs) {
    const words = {
      found: `runs ${name}`,
      missing: `cannot run ${name}`,
      'not set': `does without ${name}`,
    }
    expect(stderr).toContain(words[state as keyof typeof words])
  }
})
