// What does not count as tried: settings that the running platform does not have. The asking itself is in
// test/integration/questions.test.ts; here a deployment is only said to run, and whoever asks it fails.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manifest as calendar } from '../../agents/calendar/manifest.ts'
import { catalogue } from '../../agents/catalogue.ts'
import { attemptConnection } from '../../cli/commands/connection-attempt.ts'
import type { Output } from '../../cli/output.ts'
import type { Deployment } from '../../security/deployment.ts'

const output: Output = {
  json: false,
  data: () => {},
  rows: () => {},
  line: () => {},
  talk: () => {},
  problem: () => {},
}
const unreachable: Deployment = {
  version: 1,
  deployment: 'aaaaaaaa',
  pid: process.pid,
  startedAt: 0,
  temporal: { address: '', namespace: '', taskQueue: '', ui: '' },
  bus: { host: '', port: 0, caFile: '' },
  controlSocket: '',
}

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-connect-'))
  for (const folder of ['run', 'public', 'here', 'there']) mkdirSync(join(state, folder))
  symlinkSync(join(state, 'here'), join(state, 'link'))
})
afterEach(() => rmSync(state, { recursive: true }))

function runs(origins: readonly string[] = []): void {
  writeFileSync(join(state, 'run', 'deployment.json'), JSON.stringify(unreachable))
  const mounts = [{ from: 'calendar.folder', folder: join(state, 'here') }]
  const own = {
    mounts,
    egress: ['caldav', 'caldav-write'].map((id) => ({ id, origins })),
    programs: [],
  }
  writeFileSync(
    join(state, 'public', 'reach.json'),
    JSON.stringify({ agents: { 'calendar.0': own } }),
  )
}
const attempt = (values: Readonly<Record<string, string>>, change: { isTyped?: boolean } = {}) =>
  attemptConnection(output, {
    ...{ manifest: calendar, state, config: join(state, 'bulkhead.yaml'), isTyped: false },
    ...{ values: new Map(Object.entries(values)), ...change },
  })
const untried = (message: string) => [
  expect.objectContaining({
    action: null,
    state: 'not tried',
    message: expect.stringContaining(message),
  }),
]

test('nothing is tried where nothing runs', async () => {
  expect(await attempt({ folder: 'here' })).toEqual(untried('is not running'))
})

test('nothing is tried of what is only typed', async () => {
  runs()
  expect(await attempt({ folder: 'here' }, { isTyped: true })).toEqual(untried('in the file'))
})

test.each([
  ['folder', { folder: 'there' }],
  ['url', { folder: 'here', url: 'https://two.example.org' }],
  ['url', { folder: 'here', url: 'https://one.example.org, https://two.example.org' }],
])('nothing is tried where the platform was started with another %s', async (name, values) => {
  runs(['https://one.example.org'])
  expect(await attempt(values)).toEqual(untried(`(calendar.${name})`))
})

test('nothing is tried of an agent that the running platform does not know', async () => {
  runs()
  const notes = catalogue.get('notes') ?? calendar
  const about = { manifest: notes, state, config: 'x', isTyped: false, values: new Map() }
  expect(await attemptConnection(output, about)).toEqual(untried('(notes)'))
})

test('the platform is asked where it has these settings, by whatever path', async () => {
  runs(['https://one.example.org'])
  const values = { folder: 'link', url: ' https://one.example.org' }
  await expect(attempt(values)).rejects.toThrow('is not running on')
})
