// Three canaries, a credential, a calendar entry's title and every token, go through a whole
// deployment, through runs that succeed and runs that fail, and through processes that abort. Then
// everything that is written down is searched for them.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { manifest as weather } from '../../agents/weather/manifest.ts'
import { generateHome } from '../../examples/home/generate.ts'
import { containsCanary, filesWith } from '../support/canaries.ts'
import { runCli } from '../support/cli.ts'
import { readHistories } from '../support/decoded-histories.ts'
import { processesOf, startDeployment, type TestDeployment } from '../support/deployment.ts'
import { until } from '../support/observer.ts'
import { auditRows } from '../support/traces.ts'

const secret = 'canary-secret-51f0c2e7'
const title = 'Canary title 9d13 with the dentist'
const canaries = [secret, title]

let state: string
let server: Server
let deployment: TestDeployment
/** Everything that commands said, but for the answers that show a person his own day. */
const said: string[] = []
const credentialsSeen: string[] = []

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-canary-'))
  // Refuses, and says back what it was given: the way in which credentials reach logs.
  server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    credentialsSeen.push(authorization)
    response.writeHead(401, { 'www-authenticate': authorization }).end(`refused: ${authorization}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const day = new Date().toISOString().slice(0, 10)
  await generateHome({ folder: state, today: day, timeZone: 'UTC', seed: 1, web })
  addEvent(join(state, 'agents', 'calendar', 'data', 'work.ics'), day)
  const configuration = join(state, 'bulkhead.yaml')
  const settings = parse(readFileSync(configuration, 'utf8'))
  settings.agents.weather.secret = 'env://BULKHEAD_TEST_CANARY'
  writeFileSync(configuration, stringify(settings))
  const egress = (weather.egress ?? []).map((one) => ({
    ...one,
    credential: { secret: { config: 'weather.secret' }, as: 'bearer' as const },
  }))
  deployment = await startDeployment({
    home: 'sample',
    state,
    overrides: { weather: { egress } },
    env: { BULKHEAD_TEST_CANARY: secret },
  })
})
afterAll(async () => {
  await deployment.stop()
  server.close()
  rmSync(state, { recursive: true, force: true })
})

function addEvent(file: string, day: string): void {
  const date = day.replaceAll('-', '')
  const event = [
    'BEGIN:VEVENT',
    'UID:canary@example.org',
    `DTSTAMP:${date}T000000Z`,
    `DTSTART:${date}T100000Z`,
    `DTEND:${date}T110000Z`,
    `SUMMARY:${title}`,
    'END:VEVENT',
    '',
  ].join('\r\n')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/END:VCALENDAR\r\n$/, `${event}END:VCALENDAR\r\n`))
}

/** Runs a plan file; what it said joins what is searched, unless it is meant to show the canary. */
async function run(name: string, plan: string): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'bulkhead-plan-')), `${name}.yaml`)
  writeFileSync(file, plan)
  const { stdout, stderr } = await runCli(['run', file, '--state', state, '--json'])
  rmSync(join(file, '..'), { recursive: true })
  said.push(stderr)
  return stdout
}

const showing = `
version: 1
goal: Read the day and keep it
steps:
  - { id: day, agent: calendar, action: list, args: { day: today, calendars: [work] } }
  - id: sky
    agent: weather
    action: now
    args: { place: { lat: 48.2, lon: 16.4 } }
    onError: continue
    attempts: 1
  - id: keep
    agent: notes
    action: append
    args:
      note: day
      text: { $text: "{{#events}}{{summary}}\\n{{/events}}", with: { events: { $from: "day#/events" } } }
answer: { from: [day] }
`

const reading = `
version: 1
goal: Read the day
steps:
  - { id: day, agent: calendar, action: list, args: { day: today, calendars: [work] } }
answer: { from: [day] }
`

/** Fails at an agent that was handed the title, after a step that showed it. */
const failing = `
version: 1
goal: Fail with the title in hand
steps:
  - { id: day, agent: calendar, action: list, args: { day: today, calendars: [work] } }
  - id: gone
    agent: notes
    action: read
    args: { note: { $text: "{{#events}}{{summary}}{{/events}}", with: { events: { $from: "day#/events" } } } }
answer: { from: [gone] }
`

describe('what a deployment writes down', () => {
  it('goes through the motions first', async () => {
    expect(await run('showing', showing)).toContain(title)
    expect(credentialsSeen).toContain(`Bearer ${secret}`)
    said.push(await run('failing', failing))
    for (const args of [
      ['status'],
      ['agents', 'list'],
      ['agents', 'show', 'calendar'],
      ['agents', 'show', 'weather'],
      ['audit', 'query'],
      ['audit', 'export'],
      ['audit', 'verify'],
      ['runs', 'list'],
      ['doctor'],
    ]) {
      const { stdout, stderr } = await runCli([...args, '--state', state, '--json'])
      expect(stdout.length, args.join(' ')).toBeGreaterThan(2)
      said.push(stdout, stderr)
    }
    expect(auditRows(state).filter(({ kind }) => kind === 'mint').length).toBeGreaterThan(3)
  })

  it('is nowhere in what was said', () => {
    const text = said.join('\n')
    expect(text.length).toBeGreaterThan(10_000)
    for (const canary of canaries) expect(containsCanary(text, canary), canary).toBe(false)
  })

  it('is in no history, decrypted as it is', async () => {
    const { text, workflows } = await readHistories(deployment)
    expect(workflows).toBeGreaterThan(1)
    for (const canary of canaries) expect(containsCanary(text, canary), canary).toBe(false)
  })

  it('is in no file but those that hold it by right', () => {
    const agents = join(state, 'agents')
    expect(filesWith(state, secret)).toEqual(
      ['alerts', 'forecast'].map((id) => join(state, 'gateway', 'secrets', `weather.0.${id}`)),
    )
    expect(new Set(filesWith(state, title))).toEqual(
      new Set([
        join(agents, 'calendar', 'data', 'work.ics'),
        join(agents, 'notes', 'data', 'day.md'),
      ]),
    )
  })

  it('is in no command line and no environment', () => {
    const children = processesOf(state).filter(({ pid }) => pid !== deployment.process.pid)
    expect(children.length).toBeGreaterThan(5)
    for (const { pid, command } of children) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      for (const canary of canaries) expect(command + environment).not.toContain(canary)
    }
  })

  it('is in no core dump, because there is none', async () => {
    const children = processesOf(state)
    for (const { pid, command } of children) {
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
      expect(limits, command).toMatch(/^Max core file size +0 +0 /m)
    }
    const folders = new Set(children.map(({ pid }) => folderOf(pid)))
    for (const word of ['notary/main', 'temporal/main', 'egress/main']) {
      const pidNow = () =>
        processesOf(state).find(({ command }) => command.includes(word))?.pid ?? 0
      const victim = pidNow()
      process.kill(victim, 'SIGABRT')
      await until(`${word} runs again`, async () => pidNow() !== victim && pidNow() !== 0)
    }
    await until('everything runs', async () => {
      const { stdout } = await runCli(['status', '--state', state])
      return ['notary', 'worker', 'gateway'].every((name) =>
        new RegExp(`^${name} +running `, 'm').test(stdout),
      )
    })
    for (const folder of [...folders, state]) {
      const names = readdirSync(folder).filter((name) => /^core(\.\d+)?$/.test(name))
      expect(names, folder).toEqual([])
    }
    expect(await run('again', reading)).toContain(title)
    expect(filesWith(join(state, 'logs'), secret)).toEqual([])
  })
})

/** Where a core dump of this process would be written. */
function folderOf(pid: number): string {
  return execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).trim()
}

describe('the search itself', () => {
  it('finds a text in each form in which it would leak', () => {
    const long = Buffer.from(`some words before ${secret} and after`)
    for (const form of [long, long.toString('base64'), long.toString('hex')]) {
      expect(containsCanary(form, secret)).toBe(true)
    }
    for (const before of ['', 'x', 'xx']) {
      const encoded = Buffer.from(`${before}${secret}`).toString('base64')
      expect(containsCanary(`{"a":"${encoded}"}`, secret)).toBe(true)
    }
    expect(containsCanary(Buffer.from(secret, 'utf16le'), secret)).toBe(true)
    expect(containsCanary(long, 'canary-of-another')).toBe(false)
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-canary-'))
    writeFileSync(join(folder, 'log'), long)
    expect(filesWith(folder, secret)).toEqual([join(folder, 'log')])
    rmSync(folder, { recursive: true })
  })
})
