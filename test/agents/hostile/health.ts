// Hostile exports of health.

import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { agent } from '../../../agents/health/agent.ts'
import { exportsAt, healthAt } from '../../../agents/health/manifest.ts'
import { exportWith, record } from '../health-home.ts'
import {
  type Ends,
  entityBomb,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

const at = (time: string) => `2026-11-20 ${time} +0100`
const folders = (file: string, content: string | Uint8Array) => ({
  [healthAt]: { timezone: 'Europe/Vienna\n' },
  [exportsAt]: { [file]: content },
})
const taken =
  (file: string) =>
  (what: string, ends: Ends, content: () => string | Uint8Array): Trial =>
    trial(agent, what, ends, () => ({
      ...{ action: 'import', args: { file } },
      world: { folders: folders(file, content()) },
    }))
const left = (reason: 'time' | 'value' | 'type' | 'unit') => ({
  says: { skipped: 1, reasons: { [reason]: 1 } },
})

/** Names and what lies under them are alike for both formats. */
const pathsOf = (ending: 'xml' | 'json'): readonly Trial[] => [
  ...[
    '../secret',
    '..\u2215secret\u0000',
    './good',
    '.hidden',
    ' good',
    'con',
    '/etc/passwd',
    'a/b/c',
    'a\\b',
  ].map((name) =>
    trial(agent, `the name ${JSON.stringify(name)}`, 'INVALID_INPUT', () => ({
      ...{ action: 'import', args: { file: `${name}.${ending}` } },
      world: { folders: folders(`good.${ending}`, '') },
    })),
  ),
  ...(['link', 'folder', 'pipe'] as const).map((what) =>
    trial(agent, `a ${what} in its place`, 'CORRUPT_DATA', () => ({
      ...{ action: 'import', args: { file: `${what}.${ending}` } },
      world: { folders: folders(`good.${ending}`, '') },
      prepare(folder) {
        const file = join(folder, exportsAt, `${what}.${ending}`)
        if (what === 'link') symlinkSync('/etc/passwd', file)
        else if (what === 'folder') mkdirSync(file)
        else execFileSync('mkfifo', [file])
      },
    })),
  ),
]

const apple = taken('hostile.xml')
const records = (fields: Partial<Parameters<typeof record>[0]>) => () =>
  exportWith(record({ start: at('12:00:00'), ...fields }))

export const appleExport: HostileParser = {
  reads: 'export.xml of Apple Health',
  cells: {
    entities: [
      apple('in its own document type', 'CORRUPT_DATA', () =>
        entityBomb('HealthData', '<HealthData><Me name="BOMB"/></HealthData>', 5),
      ),
      apple(
        'of an outside file',
        'CORRUPT_DATA',
        () =>
          `<!DOCTYPE HealthData [<!ENTITY x SYSTEM "file:///etc/passwd">]><HealthData>&x;</HealthData>`,
      ),
    ],
    gigantic: [
      apple('an attribute', 'LIMIT_EXCEEDED', () => exportWith(`<Me name="${megabytes(2)}"/>`)),
      apple('a text', 'LIMIT_EXCEEDED', () => exportWith(megabytes(2))),
      apple('a comment without an end', 'LIMIT_EXCEEDED', () => `<HealthData><!--${megabytes(2)}`),
      apple(
        'a document type without an end',
        'LIMIT_EXCEEDED',
        () => `<!DOCTYPE HealthData [${megabytes(2, '<!-- -->')}`,
      ),
    ],
    encoding: [
      apple('UTF-16', 'CORRUPT_DATA', () => Buffer.from(`\ufeff${exportWith('')}`, 'utf16le')),
      apple('Latin-1', 'CORRUPT_DATA', () =>
        Buffer.from(exportWith('<Me name="Jörg"/>'), 'latin1'),
      ),
      apple('another that it declares', 'CORRUPT_DATA', () =>
        exportWith('').replace('UTF-8', 'ISO-8859-1'),
      ),
      apple('zeros', 'CORRUPT_DATA', () => Buffer.alloc(100_000)),
    ],
    dates: [
      apple('a negative year', left('time'), records({ start: '-0001-01-01 10:00:00 +0100' })),
      apple('before 1970', left('time'), records({ start: '1969-12-31 23:00:00 +0000' })),
      apple('31 February', left('time'), records({ start: '2026-02-31 10:00:00 +0100' })),
      apple('to come', left('time'), records({ start: '2027-01-01 10:00:00 +0100' })),
    ],
    formula: [
      apple('a value', left('value'), records({ value: '=1+1' })),
      apple('a type', left('type'), records({ type: '=1+1' })),
    ],
    paths: pathsOf('xml'),
    crowd: [
      apple('attributes of one element', 'LIMIT_EXCEEDED', () => {
        const many = Array.from({ length: 200_000 }, (_, index) => `a${index}="x"`)
        return exportWith(`<Me ${many.join(' ')}/>`)
      }),
      apple('devices', 'LIMIT_EXCEEDED', () =>
        exportWith(
          Array.from({ length: 10_000 }, (_, index) =>
            record({ source: `device ${index}`, start: at('10:00:00') }),
          ).join(''),
        ),
      ),
    ],
    depth: [apple('elements', 'LIMIT_EXCEEDED', () => `<HealthData>${'<a>'.repeat(100_000)}`)],
  },
}

const auto = taken('hostile.json')
const json = (data: unknown) => JSON.stringify({ data })
const steps = (point: object) => () =>
  json({ metrics: [{ name: 'step_count', units: 'count', data: [point] }] })

export const autoExport: HostileParser = {
  reads: 'JSON of Health Auto Export',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      auto('seven megabytes', 'LIMIT_EXCEEDED', () => json({ metrics: [], more: megabytes(7) })),
      auto('a name of five', { says: { inserted: 0 } }, () =>
        json({ metrics: [{ name: megabytes(5), units: 'count', data: [] }] }),
      ),
    ],
    encoding: [
      auto('Latin-1', 'CORRUPT_DATA', () => Buffer.from('{"data":{"name":"Jörg"}}', 'latin1')),
      auto('UTF-16', 'CORRUPT_DATA', () => Buffer.from(`\ufeff${json({})}`, 'utf16le')),
    ],
    dates: [
      auto('a negative year', left('time'), steps({ date: '-0001-01-01 10:00:00 +0100', qty: 1 })),
      auto('31 February', left('time'), steps({ date: '2026-02-31 10:00:00 +0100', qty: 1 })),
      auto('a number', left('time'), steps({ date: -1e308, qty: 1 })),
    ],
    formula: [auto('a value', left('value'), steps({ date: at('10:00:00'), qty: '=1+1' }))],
    paths: pathsOf('json'),
    crowd: [
      auto('metrics', 'CORRUPT_DATA', () =>
        json({ metrics: Array(10_000).fill({ name: 'a', data: [] }) }),
      ),
    ],
    depth: [auto('lists', 'CORRUPT_DATA', () => '['.repeat(1_000_000))],
  },
}
