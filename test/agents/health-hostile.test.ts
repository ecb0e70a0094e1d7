// Files that mean harm, or were broken on the way: each ends in a typed failure within its bounds, leaves
// what was imported before as it was, and keeps no later import from working. Single records that make no
// sense are left out and counted.

import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failureOf } from './action-context.ts'
import {
  exportOf,
  exportWith,
  type HealthHome,
  openHealthHome,
  record,
  weeks,
} from './health-home.ts'

let home: HealthHome
beforeEach(async () => {
  home = openHealthHome()
  await home.put('good.xml', exportWith(record({ start: at('10:00:00') })))
  await home.run('import', { file: 'good.xml' })
})
afterEach(() => home.end())

const day = '2026-11-20'
const at = (time: string) => `${day} ${time} +0100`
const stepsOf = async () => (await home.run('summary', { date: day })).steps

const whole = exportOf({ ...weeks, from: '2026-11-18' })
describe('a file that is no export', () => {
  const cases: readonly (readonly [string, string | Buffer, string])[] = [
    ['a sudden end', whole.slice(0, whole.length / 2), 'CORRUPT_DATA'],
    ['an end inside a tag', whole.slice(0, whole.lastIndexOf('startDate')), 'CORRUPT_DATA'],
    ['no end of its root', whole.replace('</HealthData>', ''), 'CORRUPT_DATA'],
    ['more after its root', `${whole}<Record/>`, 'CORRUPT_DATA'],
    ['nothing in it', '', 'CORRUPT_DATA'],
    ['the other file of the archive', '<ClinicalDocument/>', 'CORRUPT_DATA'],
  ]

  it.each(cases)('%s', async (_, content, code) => {
    await home.put('bad.xml', content)
    expect(await failureOf(home.run('import', { file: 'bad.xml' }))).toMatchObject({ code })
    expect(await stepsOf()).toBe(100)
    await home.put('bad.xml', exportWith(record({ start: at('11:00:00') })))
    expect(await home.run('import', { file: 'bad.xml' })).toMatchObject({
      inserted: 1,
      before: { imports: 1, samples: 1 },
    })
  })

  it.each([
    ['no JSON', '{"data":', 'CORRUPT_DATA'],
    ['another document', '{"feed":[]}', 'CORRUPT_DATA'],
    ['a list for an object', '{"data":[]}', 'CORRUPT_DATA'],
  ])('of Health Auto Export: %s', async (_, content, code) => {
    await home.put('bad.json', content)
    expect(await failureOf(home.run('import', { file: 'bad.json' }))).toMatchObject({ code })
    expect(await stepsOf()).toBe(100)
  })
})

describe('a record that makes no sense', () => {
  it.each([
    ['an end before its beginning', { start: at('10:00:00'), end: at('09:00:00') }, 'time'],
    ['a length of days', { start: '2026-11-10 10:00:00 +0100', end: at('09:00:00') }, 'time'],
    ['hour 24', { start: at('24:00:00') }, 'time'],
    ['an offset of a day', { start: '2026-11-20 10:00:00 +2400' }, 'time'],
    ['no offset', { start: '2026-11-20 10:00:00' }, 'time'],
    ['a unit of nowhere', { start: at('12:00:00'), unit: 'furlong' }, 'unit'],
    ['a unit of a prototype', { start: at('12:00:00'), unit: 'constructor' }, 'unit'],
    ['a type of nowhere', { start: at('12:00:00'), type: '__proto__' }, 'type'],
    ['a negative value', { start: at('12:00:00'), value: '-5' }, 'value'],
    ['no number', { start: at('12:00:00'), value: 'NaN' }, 'value'],
    ['infinity', { start: at('12:00:00'), value: '1e999' }, 'value'],
    ['hexadecimal', { start: at('12:00:00'), value: '0x10' }, 'value'],
    ['more steps than a life has', { start: at('12:00:00'), value: '99999999999' }, 'value'],
  ] as const)('%s', async (_, fields, reason) => {
    const good = record({ start: at('13:00:00') })
    await home.put('odd.xml', exportWith(record(fields) + good))
    expect(await home.run('import', { file: 'odd.xml' })).toMatchObject({
      inserted: 1,
      skipped: 1,
      reasons: { [reason]: 1 },
    })
    expect(await stepsOf()).toBe(200)
  })
})

describe('a name that is none', () => {
  const put = () => writeFileSync(join(home.data, 'secret.xml'), exportWith(''))

  it('does not follow links, and reads no pipe and no folder', async () => {
    put()
    symlinkSync(join(home.data, 'secret.xml'), join(home.exports, 'link.xml'))
    symlinkSync(home.data, join(home.exports, 'linked'))
    mkdirSync(join(home.exports, 'folder.xml'))
    execFileSync('mkfifo', [join(home.exports, 'pipe.xml')])
    for (const file of ['link.xml', 'linked/secret.xml', 'folder.xml', 'pipe.xml']) {
      expect(await failureOf(home.run('import', { file })), file).toMatchObject({
        code: 'CORRUPT_DATA',
      })
    }
    for (const file of ['absent.xml', 'good.xml/absent.xml']) {
      expect(await failureOf(home.run('import', { file })), file).toMatchObject({
        code: 'NOT_FOUND',
      })
    }
  })

  it('is refused where there is none, or two', async () => {
    for (const args of [{}, { file: 'good.xml', payload: '{}' }]) {
      expect(await failureOf(home.run('import', args))).toMatchObject({ code: 'INVALID_INPUT' })
    }
    const replace = home.run('import', { payload: '{}', replace: true })
    expect(await failureOf(replace)).toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('what lies around it', () => {
  it('a file that grows while it is read does not count', async () => {
    await home.put('growing.xml', whole)
    const file = join(home.exports, 'growing.xml')
    let parts = 0
    const onProgress = () => {
      parts += 1
      if (parts === 2) appendFileSync(file, '<!-- more -->\n')
    }
    const grown = home.run('import', { file: 'growing.xml' }, { onProgress })
    expect(await failureOf(grown)).toMatchObject({ code: 'CONFLICT', retry: 'absent' })
    expect(await stepsOf()).toBe(100)
  })

  it.each([
    ['no database', Buffer.from('not a database, whatever its name says, and long enough')],
    ['an empty page', Buffer.alloc(4_096, 7)],
  ])('a database that is %s is said to be damaged', async (_, bytes) => {
    writeFileSync(join(home.data, 'health.db'), bytes)
    expect(await failureOf(stepsOf())).toMatchObject({ code: 'CORRUPT_DATA', retry: 'final' })
    const again = home.run('import', { file: 'good.xml' })
    expect(await failureOf(again)).toMatchObject({ code: 'CORRUPT_DATA' })
  })

  it('a folder that is gone is said to be so', async () => {
    rmSync(home.data, { recursive: true })
    const again = home.run('import', { file: 'good.xml' })
    expect(await failureOf(again)).toMatchObject({ code: 'UNAVAILABLE', retry: 'absent' })
  })

  it('a database of another release is left as it is', async () => {
    const store = new DatabaseSync(join(home.data, 'health.db'))
    store.exec('PRAGMA user_version = 99')
    store.close()
    expect(await failureOf(stepsOf())).toMatchObject({ code: 'CORRUPT_DATA' })
    const again = home.run('import', { file: 'good.xml' })
    expect(await failureOf(again)).toMatchObject({ code: 'CORRUPT_DATA' })
  })

  it('a zone that is none is said to be so', async () => {
    writeFileSync(join(home.data, 'timezone'), 'Middle-earth/Shire\n')
    expect(await failureOf(stepsOf())).toMatchObject({ code: 'CORRUPT_DATA' })
  })
})
