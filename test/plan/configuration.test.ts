// What a broken bulkhead.yaml says: the line and what to write instead.

import { describe, expect, test } from 'vitest'
import { parseConfiguration } from '../../plan/configuration.ts'

const settings = ['calendar.folder', 'notes.folder']
const problemsIn = (text: string) => {
  const parsed = parseConfiguration(text, 'bulkhead.yaml', settings)
  return parsed.ok ? [] : parsed.problems
}

describe('a valid file', () => {
  test('gives its settings as written', () => {
    const text = `timezone: Europe/Vienna
ports: { temporalUi: 8233 }
fastLane: true
people: { owner: [me@example.org], Bob Smith: [bob@example.org, +43 1 234] }
places: { office: [Example Street 1] }
users: { anna: { approvesFor: [owner], sees: [] } }
agents:
  calendar: { folder: ../calendars }
  notes:
    folder: /home/x/notes
`
    expect(parseConfiguration(text, 'bulkhead.yaml', settings)).toMatchObject({
      ok: true,
      configuration: {
        timezone: 'Europe/Vienna',
        ports: { temporalUi: 8233 },
        fastLane: true,
        people: { owner: ['me@example.org'], 'Bob Smith': ['bob@example.org', '+43 1 234'] },
        places: { office: ['Example Street 1'] },
        users: { anna: { approvesFor: ['owner'], sees: [] } },
        agents: { calendar: { folder: '../calendars' }, notes: { folder: '/home/x/notes' } },
      },
    })
  })

  test('may be empty', () => {
    expect(parseConfiguration('', 'bulkhead.yaml')).toMatchObject({ ok: true, configuration: {} })
    expect(parseConfiguration('# nothing yet\n', 'bulkhead.yaml').ok).toBe(true)
  })
})

describe('a broken file', () => {
  test.each([
    ['timezone: UTC\nport: {}\n', 2, 'port is not a setting', 'did you mean ports?'],
    [
      'ports:\n  temporalui: 1\n',
      2,
      'ports.temporalui is not a setting',
      'did you mean temporalUi?',
    ],
    ['ports:\n  bus: 70000\n', 2, 'ports.bus', 'a number from 1 to 65535'],
    ['fastLane: quick\n', 1, 'fastLane', 'true or false'],
    [
      'embeddings: nomic embed\n',
      1,
      'is not a name of a model',
      'embeddings: nomic-embed-text, as the server of agents.model.local calls it',
    ],
    ['replicas:\n  weather: 9\n', 2, 'replicas.weather', 'replicas: { weather: 2 }, from 1 to 8'],
    ['replicas:\n  weather: 0\n', 2, 'replicas.weather', 'replicas: { weather: 2 }, from 1 to 8'],
    [
      'people:\n  bob: bob@example.org\n',
      2,
      'people.bob',
      'people: { owner: [me@example.org], bob: [bob@example.org] }',
    ],
    [
      'people:\n  bob:\n    - "bob\\u200b@example.org"\n',
      2,
      'nobody would see',
      'people: { owner: [me@example.org], bob: [bob@example.org] }',
    ],
    [
      'places:\n  "#1": [x]\n',
      2,
      'places.#1 is not a name',
      'places: { office: [Example Street 1] }',
    ],
    [
      'users:\n  Anna: {}\n',
      2,
      'users.Anna is not a name',
      'users: { anna: { approvesFor: [owner], sees: [owner] } }',
    ],
    ['users:\n  anna: { see: [] }\n', 2, 'users.anna.see is not a setting', 'did you mean sees?'],
    [
      'users:\n  anna: { sees: ["../x"] }\n',
      2,
      'users.anna.sees.0',
      'users: { anna: { approvesFor: [owner], sees: [owner] } }',
    ],
    ['\ntimezone: Vienna\n', 2, 'timezone', 'an IANA name, such as Europe/Vienna'],
    [
      'agents:\n  calender:\n    folder: x\n',
      3,
      'agents.calender.folder is not a setting',
      'did you mean calendar.folder?',
    ],
    [
      'agents:\n  notes:\n    folder: 5\n',
      3,
      'agents.notes.folder',
      'agents: { calendar: { folder: path/to/calendars } }',
    ],
    ['timezone: UTC\ntimezone: UTC\n', 2, 'unique', 'keep one of the two'],
    ['agents:\n  notes: &a { folder: x }\n  calendar: *a\n', 2, 'anchors', 'write the value out'],
    ['timezone: !!str UTC\n', 1, 'tags', 'write the value out'],
    ['agents:\n  notes: {\n', 3, '', 'check indentation, colons and quotes'],
    ['- a\n', 1, 'the file', 'see examples/home/bulkhead.yaml for a complete file'],
  ])('%j is refused on its line with a hint', (text, line, message, hint) => {
    const [first] = problemsIn(text)
    expect(first).toMatchObject({ line, hint })
    expect(first?.message).toContain(message)
  })

  test('all problems are told at once, in the order of the file', () => {
    expect(problemsIn('timezone: x\nports: { bus: 0 }\nfoo: 1\n').map(({ line }) => line)).toEqual([
      1, 2, 3,
    ])
  })

  test('names of the prototype are settings like any other, that is unknown ones', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(problemsIn(`${name}: {}\n`)).toHaveLength(1)
      expect(problemsIn(`agents:\n  ${name}: { folder: x }\n`)).toHaveLength(1)
    }
  })

  test('a file that is too long is not parsed', () => {
    expect(problemsIn(`# ${'x'.repeat(1024 * 1024)}`)[0]?.message).toContain('1 MiB')
  })
})
