// Of an event on a server with others in it, nothing is written by an action that no person is asked about;
// what may tell them says so in the manifest. In a file nobody is told, and nothing is different.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent as calendar } from '../../agents/calendar/agent.ts'
import { manifest } from '../../agents/calendar/manifest.ts'
import { catalogue } from '../../agents/catalogue.ts'
import type { ExampleServers } from '../../agents/check/examples-contract.ts'
import { exampleDav, exampleOrigin } from '../../agents/dav/example-server.ts'
import type { ActionContext } from '../../agents/define-agent.ts'
import { agent as reminders } from '../../agents/reminders/agent.ts'
import { manifest as remindersManifest } from '../../agents/reminders/manifest.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'
import { contextOf, failureOf, idemOf } from './action-context.ts'
import { calendarOf, vienna } from './calendar-folder.ts'

const collection = 'Server'
const bob = 'ORGANIZER;CN=Bob:mailto:bob@example.org'
const anna = 'ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org'
const start = vienna('DTSTART', '20261124T150000')

let folder: string
let server: ExampleServers
/** Methods that change what is there. */
let writes: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-guests-'))
  writeFileSync(join(folder, 'timezone'), 'Europe/Vienna\n')
  writes = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Asked {
  readonly args: object
  readonly idem?: string
  readonly kind?: ActionContext['kind']
  readonly agent?: typeof calendar
}
async function run(name: string, { args, idem, kind = 'do', agent = calendar }: Asked) {
  const action = agent.actions.get(name)
  const call = action?.prepare(args)
  if (action === undefined || call === undefined) throw new Error(`${name} refuses its arguments`)
  const setting = { folder, now: Date.parse('2026-11-21T08:00:00Z') }
  const fetch: ActionContext['fetch'] = async (request) => {
    if (request.method === 'PUT' || request.method === 'DELETE') writes.push(request.method)
    const {
      status,
      body,
      headers = {},
    } = server.answer({ ...request, origin: exampleOrigin }) ?? {
      status: 404,
      body: '',
    }
    return { status, body, headers, url: request.path }
  }
  const result = await call({ ...contextOf(setting, idem ?? idemOf(name)), kind, fetch })
  return action.declaration.output.parse(result)
}
/** What comes in an XML answer has lost the line break at its end. */
const textsThere = () =>
  Object.entries(Object(server.state?.())).map(([path, text]) => [path, String(text).trimEnd()])

/** One event, on the server and in the copy. */
async function given(...events: string[][]): Promise<void> {
  server = exampleDav({ talk: calendarOf(...events) })()
  await run('sync', { args: {} })
}
const talk = (...lines: string[]) => [
  ...['UID:talk', start, 'DURATION:PT1H', 'SUMMARY:Talk'],
  ...lines,
]
async function found(at = '2026-11-24T15:00') {
  const answer = manifest.actions.find.output.parse(await run('find', { args: { at } }))
  if (answer.event === null) throw new Error('not one')
  const { uid, etag: ifMatch, recurrenceId, calendar: name } = answer.event
  return { target: { calendar: name, uid, recurrenceId, ifMatch, scope: 'this' }, ...answer }
}
const patch = { start: '2026-11-27T15:00' }
const told = { code: 'TELLS_OTHERS', retry: 'ask' }

describe('with others in it, on a server', () => {
  beforeEach(() => given(talk(bob, anna)))

  test.each([
    ['update', { patch }],
    ['update', { patch: { location: 'Upstairs' } }],
    ['update', { patch, dryRun: true }],
    ['delete', {}],
    ['delete', { dryRun: true }],
  ])('%s %j ends before anything is sent, and leaves no trace', async (name, more) => {
    const before = textsThere()
    const { target, guests } = await found()
    expect(guests).toBe(1)
    const failure = await failureOf(run(name, { args: { ...target, ...more } }))
    expect(failure).toMatchObject(told)
    expect([writes, textsThere()]).toEqual([[], before])
    const undone = await run('revert', { args: { calendar: collection, change: idemOf(name) } })
    expect(undone).toMatchObject({ outcome: 'not-applied' })
  })

  test('reschedule moves it once, on condition, shows it before and after, and is taken back', async () => {
    const before = textsThere()
    const { target } = await found()
    const args = { ...target, patch }
    const dry = await run('reschedule', { args: { ...args, dryRun: true }, idem: idemOf('dry') })
    expect(dry).toMatchObject({
      before: { start: '2026-11-24T15:00:00+01:00' },
      after: { start: '2026-11-27T15:00:00+01:00', end: '2026-11-27T16:00:00+01:00' },
    })
    expect([writes, textsThere()]).toEqual([[], before])
    expect(await run('reschedule', { args })).toEqual(dry)
    expect(await run('reschedule', { args })).toEqual(dry)
    expect(writes).toEqual(['PUT'])
    expect(textsThere()).toEqual([[expect.any(String), expect.stringContaining(anna)]])
    const stale = run('reschedule', { args, idem: idemOf('stale') })
    expect(await failureOf(stale)).toMatchObject({ code: 'CONFLICT', retry: 'ask' })
    const change = { calendar: collection, change: idemOf('reschedule') }
    expect(await run('revert', { args: change, kind: 'undo' })).toMatchObject({
      outcome: 'reverted',
      after: { start: '2026-11-24T15:00:00+01:00' },
    })
    expect(textsThere()).toEqual(before)
  })

  test('cancel takes it away, and shows what it was', async () => {
    const { target } = await found()
    const dry = await run('cancel', { args: { ...target, dryRun: true }, idem: idemOf('dry') })
    expect(writes).toEqual([])
    expect(await run('cancel', { args: target })).toEqual(dry)
    expect(dry).toMatchObject({ etag: null, before: { summary: 'Talk' }, after: null })
    expect([writes, server.state?.()]).toEqual([['DELETE'], {}])
  })

  test.each([
    ['reschedule', { patch }],
    ['respond', { as: 'anna@example.org', response: 'accepted' }],
  ])(
    'a step of a plan does not take back what %s did; the undo of its run does',
    async (name, more) => {
      const { target } = await found()
      await run(name, { args: { ...target, ...more } })
      const after = textsThere()
      const args = { calendar: collection, change: idemOf(name) }
      for (const dryRun of [false, true]) {
        const asked = run('revert', { args: { ...args, dryRun } })
        expect(await failureOf(asked)).toMatchObject(told)
      }
      expect([writes, textsThere()]).toEqual([['PUT'], after])
      await run('revert', { args, kind: 'undo' })
      expect(writes).toEqual(['PUT', 'PUT'])
    },
  )
})

describe('others are', () => {
  const series = ['UID:talk', start, 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=3', 'SUMMARY:Talk']
  const exception = [
    ...['UID:talk', vienna('RECURRENCE-ID', '20261126T150000')],
    ...[vienna('DTSTART', '20261126T170000'), 'DURATION:PT1H', 'SUMMARY:Talk'],
  ]
  test.each([
    ['whoever is invited', [talk(bob, anna, anna.replace('anna', 'carl'))], 2],
    ['each of them once', [talk(bob, anna, anna.replace('anna', 'ANNA'))], 1],
    ['not the one who invites', [talk(bob, 'ATTENDEE:MAILTO:Bob@example.org')], 0],
    ['nobody where nobody is invited', [talk(bob)], 0],
    ['not who an alarm is mailed to', [talk(bob, 'BEGIN:VALARM', anna, 'END:VALARM')], 0],
    ['those whom nobody seems to invite', [talk(anna)], 1],
    ['those of an address of another kind', [talk(bob, 'ATTENDEE;CN=x:urn:uuid:0')], 1],
    ['those of a line that is folded', [talk(bob, 'ATTENDEE\r\n ;CN=x:mailto:a@b.org')], 1],
    ['those of a line in small letters', [talk(bob, 'attendee:mailto:a@b.org')], 1],
    [
      'those whose server was told to be silent',
      [talk(bob, `${anna.replace(':', ';SCHEDULE-AGENT=NONE:')}`)],
      1,
    ],
    ['those of any instance', [series, [...exception, bob, anna]], 1],
  ])('%s', async (_what, events, guests) => {
    await given(...events)
    const seen = await found()
    expect(seen.guests).toBe(guests)
    const changed = run('update', { args: { ...seen.target, patch: { summary: 'Other' } } })
    if (guests > 0) expect(await failureOf(changed)).toMatchObject(told)
    else expect(await changed).toMatchObject({ after: { summary: 'Other' } })
    expect(writes).toHaveLength(guests > 0 ? 0 : 1)
  })
})

test('in a file nobody is told, so that whoever is in it is changed and deleted as ever', async () => {
  writeFileSync(join(folder, 'own.ics'), calendarOf(talk(bob, anna)))
  const { target, guests } = await found()
  expect([guests, target.calendar]).toEqual([0, 'own'])
  expect(await run('update', { args: { ...target, patch } })).toMatchObject({
    after: { start: '2026-11-27T15:00:00+01:00' },
  })
  const { target: moved } = await found('2026-11-27T15:00')
  expect(await run('delete', { args: moved })).toMatchObject({ after: null })
})

test('a reminder that others share on a server is left as it is', async () => {
  const todo = ['BEGIN:VTODO', 'UID:tea', 'DTSTAMP:20260101T000000Z', 'SUMMARY:Tea', bob, anna]
  const text = ['BEGIN:VCALENDAR', 'VERSION:2.0', ...todo, 'END:VTODO', 'END:VCALENDAR', '']
  server = exampleDav({ tea: text.join('\r\n') })()
  await run('sync', { args: {}, agent: reminders })
  const { output } = remindersManifest.actions.list
  const listed = output.parse(await run('list', { args: {}, agent: reminders }))
  const [first] = listed.reminders
  const args = { list: collection, uid: first?.uid, ifMatch: first?.etag }
  const failure = await failureOf(run('complete', { args, agent: reminders }))
  expect([failure, writes]).toMatchObject([told, []])
})

const target = `{ calendar: work, uid: talk, scope: this, ifMatch: ${'a'.repeat(43)} }`
test.each([
  ['reschedule', `${target.slice(0, -1)}, patch: { start: 2026-11-27T15:00 } }`, true],
  ['cancel', target, false],
])('a person is asked before each %s, which says that mail may be sent', (action, args, undo) => {
  const source = `version: 1
goal: g
steps: [{ id: a, agent: calendar, action: ${action}, args: ${args} }]
answer: { from: [] }
`
  const result = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  expect(result).toMatchObject({
    ok: true,
    report: { approvals: ['a'], effects: [{ step: 'a', effect: 'irreversible', undo }] },
  })
  expect(catalogue.get('calendar')?.actions[action]?.touches).toContain('mail')
})
