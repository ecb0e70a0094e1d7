// The sample home's screen time, as a server and as macOS's database; that database made hostile; and
// the arithmetic of stretches of time against a count of single moments.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { totalOf, union, within, withoutOverlaps } from '../../agents/screentime/spans.ts'
import { answerScreentime, writeKnowledge } from '../../examples/home/screentime.ts'
import { failureOf } from './action-context.ts'
import { openWorld, type ScreentimeWorld } from './screentime-world.ts'

const now = Date.parse('2026-11-21T08:00:00Z')
const today = Date.parse('2026-11-21')
let world: ScreentimeWorld
beforeEach(() => {
  world = openWorld(
    () => now,
    (path, query) => {
      const reply = answerScreentime({ path, query, now, seed: 1 })
      return reply && { status: reply.status, body: reply.body.toString() }
    },
  )
})
afterEach(() => world.remove())

describe('the sample home', () => {
  test('has a month of use with its awkward days', async () => {
    const { run } = world
    const month = await run('top', { from: '2026-10-22', to: '2026-11-21', by: 'category' })
    expect(month.items.length).toBeGreaterThanOrEqual(5)
    expect(month.activeMinutes).toBeGreaterThan(24 * 300)
    expect(month.ignored).toBeGreaterThan(20)
    const silent: string[] = []
    for (let ago = 1; ago <= 9; ago += 1) {
      const from = new Date(now - ago * 24 * 3_600_000).toISOString().slice(0, 10)
      const { devices, afkMinutes } = await run('focus', { from })
      if (devices === 0) silent.push(from)
      else expect(afkMinutes).toBe(45)
    }
    expect(silent).toHaveLength(1)
  })

  test('knows sites', async () => {
    const { run } = world
    const { items } = await run('top', { from: '2026-11-10', to: '2026-11-20', by: 'domain' })
    expect(items.map(({ key }) => key)).toContain('youtube.com')
  })
})

describe('the database of macOS', () => {
  const file = () => join(world.folder, 'knowledgeC.db')
  const top = (args: object = {}) =>
    world.run('top', { source: 'macos', from: '2026-11-16', to: '2026-11-21', ...args })
  const edit = (sql: string) => {
    const database = new DatabaseSync(file())
    database.exec(sql)
    database.close()
  }
  const use = (app: string, startS: string, endS: string) =>
    `INSERT INTO ZOBJECT (ZSTREAMNAME, ZVALUESTRING, ZSTARTDATE, ZENDDATE)
     VALUES ('/app/usage', ${app}, ${startS}, ${endS})`
  /** Seconds of Apple's clock at 10:00 of 2026-11-16 in UTC. */
  const ten = Date.parse('2026-11-16T10:00:00Z') / 1_000 - 978_307_200

  beforeEach(() => writeKnowledge(file(), { lastDay: today, days: 31, seed: 1 }))

  test('gives uses of apps by bundle id, in range, with their idle time unknown', async () => {
    const { items, idle, activeMinutes, devices } = await top()
    expect(items.map(({ key }) => key)).toContain('com.apple.Safari')
    expect([idle, devices]).toEqual(['unknown', 1])
    expect(activeMinutes).toBeGreaterThan(5 * 300)
    expect(world.asked).toEqual([])
    const day = await world.run('rules_check', {
      source: 'macos',
      date: '2026-11-16',
      limits: [{ by: 'app', key: 'com.apple.tv', minutes: 0 }],
    })
    expect(day.overCount).toBe(1)
  })

  test('is read where it is in write-ahead mode, and nothing is written beside it', async () => {
    edit('PRAGMA journal_mode = WAL')
    const before = readFileSync(file())
    expect((await top()).count).toBe(4)
    expect(readFileSync(file()).equals(before)).toBe(true)
  })

  test('leaves out and counts what no clock can mean', async () => {
    edit(`DELETE FROM ZOBJECT; ${use("'a'", `${ten}`, `${ten - 60}`)};
      ${use("'a'", `${ten - 1e9}`, `${ten}`)}; ${use("x'00'", `${ten}`, `${ten + 60}`)};
      ${use(`'${'x'.repeat(1_001)}'`, `${ten}`, `${ten + 60}`)};
      ${use("'ok'", `${ten}`, `${ten + 600}`)}; ${use("'b'", "'soon'", "'later'")};
      ${use("'b'", '-1e308', '1e308')}`)
    const { items, ignored, activeMinutes } = await top()
    expect(items.map(({ key }) => key)).toEqual(['ok'])
    expect([ignored, activeMinutes]).toEqual([5, 10])
  })

  test('counts what one device recorded while another was looked at, before it and after', async () => {
    edit(`DELETE FROM ZOBJECT; ${use("'film'", `${ten}`, `${ten + 7_200}`)};
      ${use("'mail'", `${ten + 600}`, `${ten + 660}`)}`)
    const { items, activeMinutes } = await top()
    expect(activeMinutes).toBe(120)
    expect(items.map(({ key, minutes }) => [key, minutes])).toEqual([
      ['film', 119],
      ['mail', 1],
    ])
  })

  const column = (sql: string) => `DROP TABLE ZOBJECT; CREATE ${sql}`
  const rest = 'ZSTREAMNAME VARCHAR, ZSTARTDATE TIMESTAMP, ZENDDATE TIMESTAMP, ZA INTEGER'
  test.each<[string, string]>([
    ['no such table', 'DROP TABLE ZOBJECT'],
    ['a check', column(`TABLE ZOBJECT ( ${rest}, ZVALUESTRING VARCHAR CHECK (1) )`)],
    [
      'other columns',
      column('TABLE ZOBJECT ( ZA INTEGER, ZB INTEGER, ZC BLOB, ZD BLOB, ZE BLOB )'),
    ],
    ['a table from a query', column('TABLE ZOBJECT AS SELECT 1 ZSTREAMNAME')],
  ])('with %s is corrupt', async (_, sql) => {
    edit(sql)
    expect(await failureOf(top())).toMatchObject({ code: 'CORRUPT_DATA', retry: 'final' })
  })

  test('is read while another program holds it, which SQLite itself would wait for', async () => {
    const other = new DatabaseSync(file())
    try {
      other.exec('BEGIN EXCLUSIVE')
      expect((await top()).count).toBe(4)
    } finally {
      other.close()
    }
  })

  test('with a page that two places claim is damaged, although it can be read', async () => {
    const bytes = readFileSync(file())
    const start = bytes.readUInt16BE(16)
    // An interior page of a table: its right-most child becomes the first one, which is there already.
    expect(bytes[start]).toBe(5)
    const first = bytes.readUInt32BE(start + bytes.readUInt16BE(start + 12))
    bytes.writeUInt32BE(first, start + 8)
    writeFileSync(file(), bytes)
    expect(await failureOf(top())).toMatchObject({ code: 'CORRUPT_DATA' })
  })

  test('with a page that claims itself is damaged', async () => {
    const bytes = readFileSync(file())
    const pageSize = bytes.readUInt16BE(16)
    const root = 2
    const start = (root - 1) * pageSize
    // An interior page of a table whose right-most child is itself: a walk would go round.
    expect(bytes[start]).toBe(5)
    bytes.writeUInt32BE(root, start + 8)
    writeFileSync(file(), bytes)
    expect(await failureOf(top())).toMatchObject({ code: 'CORRUPT_DATA' })
  })

  test.each<[string, string, () => void]>([
    ['CORRUPT_DATA', 'text', () => writeFileSync(file(), 'hello')],
    ['CORRUPT_DATA', 'nothing', () => writeFileSync(file(), '')],
    ['CORRUPT_DATA', 'noise after its header', () => noise()],
    ['NOT_FOUND', 'no file', () => replaceBy(() => undefined)],
  ])('ends in %s where %s stands for it', async (code, _, replace) => {
    replace()
    expect(await failureOf(top())).toMatchObject({ code })
  })

  function replaceBy(put: () => void): void {
    rmSync(file())
    put()
  }

  function noise(): void {
    const bytes = readFileSync(file())
    for (let at = 100; at < bytes.length; at += 7) bytes[at] = (at * 31) % 256
    writeFileSync(file(), bytes)
  }

  test('with any bytes changed gives figures or one typed failure', async () => {
    const whole = readFileSync(file())
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        async (changes) => {
          const bytes = Buffer.from(whole)
          for (const [at, value] of changes) bytes[at] = value
          writeFileSync(file(), bytes)
          const outcome = await top().then(
            () => 'figures',
            (error: { code?: string }) => error.code,
          )
          expect(['figures', 'CORRUPT_DATA']).toContain(outcome)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('stretches', () => {
  const drawn = fc.array(
    fc.record({ from: fc.integer({ min: 0, max: 200 }), length: fc.integer({ min: 1, max: 50 }) }),
    { maxLength: 30 },
  )
  const toStretches = (pairs: readonly { from: number; length: number }[]) =>
    pairs.map(({ from, length }) => ({ from, to: from + length }))

  test('without overlaps cover each moment once and no other moment', () => {
    fc.assert(
      fc.property(drawn, drawn, (some, others) => {
        const [pieces, covers] = [withoutOverlaps(toStretches(some)), union(toStretches(others))]
        const inside = within(pieces, covers)
        const isIn = (all: readonly { from: number; to: number }[], at: number) =>
          all.filter(({ from, to }) => from <= at && at < to).length
        let expected = 0
        for (let moment = 0; moment < 260; moment += 1) {
          expect(isIn(pieces, moment)).toBe(Math.min(isIn(toStretches(some), moment), 1))
          expect(isIn(inside, moment)).toBe(isIn(pieces, moment) * isIn(covers, moment))
          expected += isIn(inside, moment)
        }
        expect(totalOf(inside)).toBe(expected)
      }),
    )
  })
})
