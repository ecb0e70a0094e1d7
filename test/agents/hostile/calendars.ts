// Hostile calendars and lists of reminders: files in a folder.

import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agent as calendar } from '../../../agents/calendar/agent.ts'
import { calendarsAt } from '../../../agents/calendar/manifest.ts'
import type { AgentDefinition } from '../../../agents/define-agent.ts'
import type { FailureCode } from '../../../agents/protocol.ts'
import { agent as reminders } from '../../../agents/reminders/agent.ts'
import { remindersAt } from '../../../agents/reminders/manifest.ts'
import {
  type Ends,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

interface Component {
  readonly agent: AgentDefinition
  readonly name: 'VEVENT' | 'VTODO'
  readonly at: string
  readonly list: { readonly action: string; readonly args: object }
  readonly named: (name: string) => object
  /** Of the property with its time. */
  readonly timeName: string
  /** The lines that every good one has. */
  readonly good: readonly string[]
}

const lines = (texts: readonly string[]) => `${texts.join('\r\n')}\r\n`
const wrapped = (inner: string) =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test\r\n${inner}END:VCALENDAR\r\n`

export function componentOf({ name, good }: Pick<Component, 'name' | 'good'>) {
  const one = (uid: string, more: readonly string[]) =>
    lines([`BEGIN:${name}`, `UID:${uid}`, ...good, ...more, `END:${name}`])
  return {
    with: (...more: string[]) => wrapped(one('1', more)),
    many: (count: number) =>
      wrapped(Array.from({ length: count }, (_, at) => one(`${at}`, [])).join('')),
  }
}

export const event = {
  name: 'VEVENT',
  timeName: 'DTSTART',
  good: ['DTSTART:20261121T090000Z', 'SUMMARY:SECRET'],
} as const
export const todo = {
  name: 'VTODO',
  timeName: 'DUE',
  good: ['DUE:20261121T090000Z', 'SUMMARY:SECRET'],
} as const

function cellsOf(component: Component): HostileParser['cells'] {
  const { agent, at, list, named } = component
  const make = componentOf(component)
  const { timeName } = component
  const file = (what: string, ends: Ends, text: () => string | Uint8Array): Trial =>
    trial(agent, what, ends, () => ({
      ...list,
      world: { folders: { [at]: { 'hostile.ics': text() } } },
    }))
  const dated = (value: string) => () =>
    make.with().replace(`${timeName}:20261121T090000Z`, `${timeName}${value}`)
  const prepared = (what: string, ends: FailureCode, prepare: (folder: string) => void): Trial =>
    trial(agent, what, ends, () => ({
      ...list,
      world: { folders: { [at]: {} } },
      prepare: (folder) => prepare(join(folder, at)),
    }))
  return {
    entities: not('lines of text, in which nothing stands for anything else'),
    gigantic: [
      file('a line of megabytes', 'LIMIT_EXCEEDED', () => make.with(`X-A:${megabytes(2)}`)),
      file('a folded line of megabytes', 'LIMIT_EXCEEDED', () =>
        make.with(`X-A:${'\r\n a'.repeat(1_100_000)}`),
      ),
      file('nine megabytes', 'LIMIT_EXCEEDED', () =>
        make.with(...Array.from({ length: 1_200 }, () => `X-A:${'a'.repeat(8_000)}`)),
      ),
    ],
    encoding: [
      file('UTF-16', 'CORRUPT_DATA', () => Buffer.from(`\ufeff${make.with()}`, 'utf16le')),
      file('Latin-1', 'CORRUPT_DATA', () => Buffer.from(make.with('LOCATION:Café'), 'latin1')),
      file('NUL', 'CORRUPT_DATA', () => make.with('X-A:\0')),
    ],
    dates: [
      file('before all time', 'CORRUPT_DATA', dated(':-00010101T000000Z')),
      file('the 31st of November', 'CORRUPT_DATA', dated(':20261131T090000Z')),
      file('month 13', 'CORRUPT_DATA', dated(':20261399T000000Z')),
      file('in a zone that nobody knows', 'CORRUPT_DATA', dated(';TZID=Nowhere:20261121T090000')),
    ],
    formula: [
      file(
        'a title',
        {
          says:
            component.name === 'VEVENT'
              ? { events: [{ summary: formula }] }
              : { reminders: [{ title: formula }] },
        },
        () => make.with().replace('SECRET', formula),
      ),
    ],
    paths: [
      ...['../x', '.hidden', 'a/b', 'CON', 'a\u200b'].map((name) =>
        trial(agent, `the name ${JSON.stringify(name)}`, 'INVALID_INPUT', () => ({
          ...{ action: list.action, args: { ...list.args, ...named(name) } },
          world: { folders: { [at]: {} } },
        })),
      ),
      prepared('a link out of the folder', 'CORRUPT_DATA', (folder) =>
        symlinkSync('/etc/passwd', join(folder, 'a.ics')),
      ),
      prepared('a pipe, at which one would wait', 'CORRUPT_DATA', (folder) => {
        execFileSync('mkfifo', [join(folder, 'a.ics')])
      }),
    ],
    crowd: [
      prepared(
        component.name === 'VEVENT' ? 'calendars in the folder' : 'lists in the folder',
        'LIMIT_EXCEEDED',
        (folder) => {
          for (let index = 0; index < 10_000; index += 1) {
            writeFileSync(join(folder, `c${index}.ics`), '')
          }
        },
      ),
      file('more than twenty thousand in one file', 'LIMIT_EXCEEDED', () => make.many(20_001)),
    ],
    depth: [
      file('components', 'LIMIT_EXCEEDED', () =>
        make.with(...Array.from({ length: 50_000 }, () => 'BEGIN:X')),
      ),
    ],
  }
}

export const icsFiles: HostileParser = {
  reads: 'ICS files of calendars',
  cells: cellsOf({
    ...{ agent: calendar, ...event, at: calendarsAt },
    list: { action: 'list', args: { day: '2026-11-21', days: 7 } },
    named: (name) => ({ calendars: [name] }),
  }),
}

export const todoFiles: HostileParser = {
  reads: 'VTODO files of reminders',
  cells: cellsOf({
    ...{ agent: reminders, ...todo, at: remindersAt },
    list: { action: 'list', args: {} },
    named: (name) => ({ lists: [name] }),
  }),
}
