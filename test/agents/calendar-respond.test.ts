// An answer to an invitation: one person's own line, nobody else's, and given back as it was.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'
import { failureOf, idemOf } from './action-context.ts'
import { CalendarFolder, calendarOf, vienna } from './calendar-folder.ts'

const me = 'anna@example.org'
const organizer = 'ORGANIZER;CN=Bob:mailto:bob@example.org'
const mine = `ATTENDEE;CN="Anna; PARTSTAT=DECLINED: x";PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Anna@example.org`
const others = 'ATTENDEE;CN=Carl;PARTSTAT=NEEDS-ACTION:mailto:carl@example.org'

let folder: CalendarFolder
const invite = (...lines: string[]) => {
  const event = ['UID:talk', vienna('DTSTART', '20261124T150000'), 'DURATION:PT1H', 'SUMMARY:Talk']
  folder.save('work', calendarOf([...event, ...lines]))
}
beforeEach(() => {
  folder = new CalendarFolder()
  folder.save('timezone', 'Europe/Vienna\n')
  invite(organizer, others, mine)
})
afterEach(() => folder.remove())

const found = async (at = '2026-11-24T15:00') => {
  const { event } = await folder.run('find', { at })
  if (event === null) throw new Error('not one')
  return event
}
async function respond(change: object = {}, idem = idemOf('answer'), at?: string) {
  const { uid, etag, recurrenceId } = await found(at)
  const args = { calendar: 'work', uid, recurrenceId, scope: 'this', ifMatch: etag, as: me }
  return folder.run('respond', { ...args, response: 'accepted', ...change }, idem)
}
/** Content lines of the file, unfolded. */
const linesOf = () => folder.text('work').replaceAll('\r\n ', '').split('\r\n')

describe('an answer', () => {
  test.each(['accepted', 'declined', 'tentative'])(
    'is written into its own line: %s',
    async (response) => {
      const before = linesOf()
      const written = await respond({ response })
      expect(written.before).toMatchObject({
        summary: 'Talk',
        organizer: 'bob@example.org',
        response: 'needs-action',
      })
      expect(written.after).toEqual({ ...written.before, response })
      const changed = linesOf().filter((line) => !before.includes(line))
      expect(changed).toEqual([
        expect.stringMatching(/^DTSTAMP:20261121T080000Z$/),
        `ATTENDEE;CN="Anna; PARTSTAT=DECLINED: x";RSVP=TRUE;PARTSTAT=${response.toUpperCase()}:mailto:Anna@example.org`,
        expect.stringMatching(/^LAST-MODIFIED:20261121T080000Z$/),
      ])
      expect(linesOf()).toEqual(expect.arrayContaining([others, organizer]))
    },
  )

  test('is shown and not written on a dry run', async () => {
    const before = folder.text('work')
    expect((await respond({ dryRun: true })).after).toMatchObject({ response: 'accepted' })
    expect(folder.text('work')).toBe(before)
  })

  test('is given once, and taken back to the byte', async () => {
    const before = folder.text('work')
    const first = await respond()
    const after = folder.text('work')
    const { uid } = await found()
    const repeated = {
      calendar: 'work',
      uid,
      scope: 'this',
      ifMatch: idemOf('older'),
      as: me,
      response: 'accepted',
    }
    expect(await folder.run('respond', repeated, idemOf('answer'))).toEqual(first)
    expect(folder.text('work')).toBe(after)
    const undone = await folder.run('revert', { calendar: 'work', change: idemOf('answer') })
    expect(undone).toMatchObject({
      outcome: 'reverted',
      before: { response: 'accepted' },
      after: { response: 'needs-action' },
    })
    expect(folder.text('work')).toBe(before)
  })

  test('to what was changed since is a conflict', async () => {
    const stale = respond({ ifMatch: idemOf('another version') })
    expect(await failureOf(stale)).toMatchObject({ code: 'CONFLICT', retry: 'ask' })
  })

  test('to one of a series makes that one an exception, and to the series is for all', async () => {
    invite(organizer, mine, 'RRULE:FREQ=DAILY;COUNT=3')
    const one = await respond({ response: 'declined' }, idemOf('one'), '2026-11-25T15:00')
    expect(one).toMatchObject({
      recurrenceId: '2026-11-25T15:00:00',
      after: { response: 'declined' },
    })
    const statuses = () =>
      linesOf().flatMap((line) => /PARTSTAT=([A-Z-]+)(?:;RSVP=TRUE)?:mailto/.exec(line)?.[1] ?? [])
    expect(statuses()).toEqual(['NEEDS-ACTION', 'DECLINED'])
    const all = await respond({ recurrenceId: null, scope: 'all' }, idemOf('all'))
    expect(all.after).toMatchObject({ response: 'accepted' })
    expect(statuses()).toEqual(['ACCEPTED', 'ACCEPTED'])
  })
})

describe('who is asked is told by their address', () => {
  test('also beside an address of another kind', async () => {
    invite(organizer, `ATTENDEE;EMAIL="${me}":urn:uuid:0`)
    expect((await respond()).before).toMatchObject({ response: 'needs-action' })
    expect(linesOf()).toContain(`ATTENDEE;EMAIL="${me}";PARTSTAT=ACCEPTED:urn:uuid:0`)
  })

  test.each([
    ['nobody was invited under it', [organizer, others], 'NOT_FOUND'],
    [
      'only another’s name is like it',
      [organizer, `ATTENDEE;CN=${me}:mailto:eve@example.org`],
      'NOT_FOUND',
    ],
    ['a longer address ends or begins with it', [organizer, `ATTENDEE:mailto:x${me}`], 'NOT_FOUND'],
    ['it stands there twice', [organizer, mine, mine], 'INVALID_INPUT'],
    ['it is who invites', [`ORGANIZER:mailto:${me}`, mine], 'INVALID_INPUT'],
    ['it is nobody’s event', [], 'NOT_FOUND'],
    [
      'its line is a stranger’s weapon',
      [`ATTENDEE;X=${';X='.repeat(9_000)}:mailto:${me}`],
      'LIMIT_EXCEEDED',
    ],
  ])('and nothing is written where %s', async (_what, lines, code) => {
    invite(...lines)
    const before = folder.text('work')
    expect(await failureOf(respond())).toMatchObject({ code, retry: 'final' })
    expect(folder.text('work')).toBe(before)
  })

  test.each(['', 'anna', 'a@b:mailto', 'a@b\r\nATTENDEE:x', '"a"@b', `${'a'.repeat(250)}@b.org`])(
    'and what is no address is refused: %j',
    async (as) => {
      await expect(respond({ as })).rejects.toThrow('refuses its arguments')
    },
  )
})

test('a person is asked before each answer, because the organiser may be told', () => {
  const source = `version: 1
goal: g
steps:
  - id: answer
    agent: calendar
    action: respond
    args: { calendar: work, uid: talk, scope: this, as: ${me}, response: accepted, ifMatch: ${'a'.repeat(43)} }
answer: { from: [] }
`
  const result = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  expect(result).toMatchObject({
    ok: true,
    report: {
      approvals: ['answer'],
      effects: [{ step: 'answer', effect: 'irreversible', undo: true }],
    },
  })
})
