// What the backup agent decides by itself: which part is read on which day, how old is too old, what is
// drawn for a drill, what looks like an attack, and what it makes of programs and repositories that lie.
// The real programs are test/integration/backup-programs.test.ts's.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agent } from '../../agents/backup/agent.ts'
import { suspect } from '../../agents/backup/diff.ts'
import { maxDrillBytes, maxSampledBytes, repositoriesAt } from '../../agents/backup/manifest.ts'
import { drawSample } from '../../agents/backup/restore-test.ts'
import { pickSnapshot } from '../../agents/backup/snapshots.ts'
import { describe as describeRow } from '../../agents/backup/status.ts'
import { partOfDay } from '../../agents/backup/verify.ts'
import {
  type ActionContext,
  ActionFailure,
  type ProgramRequest,
} from '../../agents/define-agent.ts'
import { judgeResult } from '../../plan/result-rules.ts'
import { canonicalJson, type JsonValue } from '../../security/verify/canonical-json.ts'
import { contextOf } from './action-context.ts'

const now = Date.parse('2026-11-21T08:00:00Z')
const day = 24 * 3_600_000
const snapshot = (id: string, takenAt: number) => ({ id, takenAt, host: null, paths: [], bytes: 1 })

describe('a part of the data', () => {
  it.each([1, 2, 7, 30])('is another one each day, and each of %d within as many days', (of) => {
    const parts = Array.from({ length: of }, (_, n) => partOfDay(now + n * day, of))
    expect(new Set(parts)).toEqual(new Set(Array.from({ length: of }, (_, n) => n + 1)))
    expect(partOfDay(now + of * day, of)).toBe(parts[0])
  })
})

describe('the age of a backup', () => {
  const repository = { name: 'home', folder: '/x', program: 'restic' } as const
  const reasonOf = (ageMs: number) =>
    describeRow(repository, [snapshot('a', now - ageMs)], { now, maxAgeHours: 26 }).reason
  it.each([
    [0, 'OK'],
    [26 * 3_600_000, 'OK'],
    [26 * 3_600_000 + 1, 'TOO_OLD'],
    [-9 * 60_000, 'OK'],
    [-11 * 60_000, 'IN_THE_FUTURE'],
    [-1_000 * day, 'IN_THE_FUTURE'],
  ])('of %d ms is %s', (ageMs, reason) => {
    expect(reasonOf(ageMs)).toBe(reason)
  })
  it('is nothing where there is none', () => {
    const row = describeRow(repository, [], { now, maxAgeHours: 26 })
    expect(row).toMatchObject({ ok: false, reason: 'EMPTY', lastSnapshot: null, ageHours: null })
  })
})

describe('a snapshot', () => {
  const all = [snapshot('aaaaaaaa11', 1), snapshot('aaaaaaaa22', 2), snapshot('day-1', 3)]
  it.each([
    [undefined, 'day-1'],
    ['aaaaaaaa11', 'aaaaaaaa11'],
    ['aaaaaaaa2', 'aaaaaaaa22'],
    ['day-1', 'day-1'],
  ])('%j is %s', (wanted, id) => {
    expect(pickSnapshot(all, wanted).id).toBe(id)
  })
  it.each([
    ['aaaaaaaa', 'INVALID_INPUT'],
    ['aaaaaaa', 'NOT_FOUND'],
    ['day', 'NOT_FOUND'],
  ])('%j is refused with %s', (wanted, code) => {
    expect(() => pickSnapshot(all, wanted)).toThrow(expect.objectContaining({ code }))
  })
})

describe('the draw for a drill', () => {
  const entries = Array.from({ length: 200 }, (_, n) => ({ path: `/f${n}`, bytes: 10 }))
  it('is the same for one run, another for the next, and spread', () => {
    const one = drawSample(entries, 5, 'one')
    expect(one).toHaveLength(5)
    expect(drawSample(entries.toReversed(), 5, 'one')).toEqual(one)
    const seen = new Set(
      Array.from({ length: 40 }, (_, n) => drawSample(entries, 5, `${n}`))
        .flat()
        .map((e) => e.path),
    )
    expect(seen.size).toBeGreaterThan(80)
  })
  it('takes no file that is too large, and no more than a drill may', () => {
    const large = Array.from({ length: 9 }, (_, n) => ({ path: `${n}`, bytes: maxSampledBytes }))
    const drawn = drawSample([...large, { path: 'x', bytes: maxSampledBytes + 1 }], 9, 's')
    expect(drawn.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(maxDrillBytes)
    expect(drawn.some(({ path }) => path === 'x')).toBe(false)
  })
})

describe('what looks like an attack', () => {
  const before = Array.from({ length: 100 }, (_, n) => `/docs/${n}.txt`)
  const none = { before, added: [], removed: [], changed: [] }
  it.each([
    ['nothing', none, []],
    ['half of it changed', { ...none, changed: before.slice(0, 50) }, []],
    ['most of it changed', { ...none, changed: before.slice(0, 51) }, ['MOST_CHANGED']],
    ['most of it removed', { ...none, removed: before.slice(0, 60) }, ['MOST_REMOVED']],
    [
      'all of it renamed alike',
      { ...none, removed: before, added: before.map((path) => `${path}.locked`) },
      ['MOST_REMOVED', 'RENAMED_ALIKE'],
    ],
    ['a new kind of file', { ...none, added: before.map((path) => `${path}.new`) }, []],
    ['a small folder changed', { ...none, before: ['/a', '/b'], changed: ['/a', '/b'] }, []],
  ] as const)('%s', (_what, change, expected) => {
    expect(suspect(change)).toEqual(expected)
  })
})

describe('programs and repositories that lie', () => {
  let folder: string
  let answer: (request: ProgramRequest) => { code: number; stdout: string; stderr?: string }
  let secret: string
  const put = (path: string, content = '') => {
    const file = join(folder, 'all', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-backup-lies-'))
    mkdirSync(join(folder, 'scratch'))
    for (const part of ['config', 'keys/1', 'snapshots/1', 'index/1', 'data/1']) put(`home/${part}`)
    secret = 'home: x\n'
    answer = () => ({ code: 0, stdout: '[]' })
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function run(action: string, args: object): Promise<unknown> {
    const bound = agent.actions.get(action)
    const call = bound?.prepare(args)
    if (bound === undefined || call === undefined) throw new Error('refused arguments')
    const context: ActionContext = {
      ...contextOf({ folder, now }),
      folder: (at) => join(folder, at === repositoriesAt ? 'all' : 'scratch'),
      secret: () => secret,
      run: async (request) => {
        const { code, stdout, stderr = '' } = answer(request)
        return { code, stdout: Buffer.from(stdout), stderr }
      },
    }
    const result = (await call(context)) as JsonValue
    expect(judgeResult(canonicalJson(result), bound.declaration)).toMatchObject({ ok: true })
    return result
  }

  it.each([
    ['no JSON', 'x'],
    ['half of it', '[{"id":"1"'],
    ['nothing', ''],
  ])('a list that is %s is CORRUPT_DATA, or a row that says so', async (_what, stdout) => {
    answer = () => ({ code: 0, stdout })
    const verdict = run('trend', { repository: 'home' })
    await expect(verdict).rejects.toMatchObject({ code: 'CORRUPT_DATA', retry: 'final' })
    expect(await run('status', {})).toMatchObject({ repositories: [{ reason: 'UNREADABLE' }] })
  })

  it('a folder without any repository is not as it should be', async () => {
    rmSync(join(folder, 'all', 'home'), { recursive: true })
    expect(await run('status', {})).toEqual({ ok: false, repositories: [] })
  })

  it('a list beyond all bounds is a row that says so, too', async () => {
    answer = () => {
      throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'it said too much')
    }
    expect(await run('status', {})).toMatchObject({ repositories: [{ reason: 'UNREADABLE' }] })
  })

  it('entries of another shape are left out', async () => {
    const time = '2026-11-21T02:00:00Z'
    const odd = [null, 1, { id: 1 }, { id: 'a', time: 'never' }, { id: 'b', time, paths: null }]
    answer = () => ({ code: 0, stdout: JSON.stringify(odd) })
    expect(await run('status', {})).toMatchObject({ repositories: [{ snapshots: 1, host: null }] })
  })

  it.each([
    [10, '', 'UNREADABLE'],
    [12, '', 'WRONG_PASSWORD'],
    [1, 'Fatal: wrong password or no key found', 'WRONG_PASSWORD'],
    [1, 'Fatal: something else', 'UNREADABLE'],
    [137, '', 'UNREADABLE'],
  ])('exit code %d with %j is %s', async (code, stderr, reason) => {
    answer = () => ({ code, stdout: '', stderr })
    expect(await run('status', {})).toMatchObject({ ok: false, repositories: [{ reason }] })
  })

  it.each([['other: x'], [''], ['home'], ['homely: x']])('has no password in %j', async (text) => {
    secret = text
    expect(await run('status', {})).toMatchObject({ repositories: [{ reason: 'NO_PASSWORD' }] })
  })

  it('a restored link is no file, and another content is another hash', async () => {
    const nodes = ['/link', '/file'].map((path) => ({
      ...{ struct_type: 'node', type: 'file', path, size: 6 },
    }))
    writeFileSync(join(folder, 'outside'), 'secret')
    answer = ({ args }) => {
      if (args.includes('restore')) {
        const target = args[args.indexOf('--target') + 1] ?? ''
        symlinkSync(join(folder, 'outside'), join(target, 'link'))
        writeFileSync(join(target, 'file'), 'other!')
      }
      if (args.includes('ls'))
        return { code: 0, stdout: nodes.map((n) => JSON.stringify(n)).join('\n') }
      if (args.includes('dump')) return { code: 0, stdout: 'secret' }
      return {
        code: 0,
        stdout: JSON.stringify([{ id: 'a'.repeat(64), time: '2026-11-21T02:00:00Z' }]),
      }
    }
    expect(await run('restore_test', { repository: 'home' })).toMatchObject({
      ...{ ok: false, hashMatches: 0, restored: 1 },
      failures: expect.arrayContaining([
        { path: '/link', reason: 'NOT_RESTORED' },
        { path: '/file', reason: 'HASH_DIFFERS' },
      ]),
    })
  })

  it('a drill of nothing has shown nothing', async () => {
    const listed = [{ id: 'a'.repeat(64), time: '2026-11-21T02:00:00Z' }]
    answer = ({ args }) => ({ code: 0, stdout: args.includes('ls') ? '' : JSON.stringify(listed) })
    expect(await run('restore_test', { repository: 'home' })).toMatchObject({
      ok: false,
      restored: 0,
    })
  })

  it('ten thousand complaints are a bounded result', async () => {
    const pack = (n: number) => n.toString(16).padStart(64, '0')
    const stderr = Array.from(
      { length: 10_000 },
      (_, n) => `pack ${pack(n)}: \u0007${'x'.repeat(500)}`,
    )
    answer = ({ args }) =>
      args.includes('check')
        ? { code: 1, stdout: '', stderr: stderr.join('\n') }
        : { code: 0, stdout: '[]' }
    const result = await run('verify', { repository: 'home' })
    expect(result).toMatchObject({ ok: false, damagedCount: 10_000 })
    expect(JSON.stringify(result)).not.toContain('\\u0007')
  })

  it.each([
    ['restore_test', { repository: 'home', paths: ['--target=/'] }],
    ['restore_test', { repository: 'home', snapshot: '--password-command=x' }],
    ['restore_test', { repository: 'home', paths: ['a\u0000b'] }],
    ['verify', { repository: '../home' }],
    ['verify', { repository: '-r' }],
    ['verify', { repository: 'home', of: 0 }],
    ['diff', { repository: 'home', a: 'x y' }],
  ])('%s does not take %j', (action, args) => {
    expect(agent.actions.get(action)?.prepare(args)).toBeUndefined()
  })

  it('a folder that is no repository is not listed, nor a link to one', async () => {
    put('photos/a.jpg')
    put('odd/config', 'x'.repeat(100))
    mkdirSync(join(folder, 'all', 'pipe'))
    // To open it would be to wait for somebody who writes.
    execFileSync('mkfifo', [join(folder, 'all', 'pipe', 'config')])
    symlinkSync(join(folder, 'all', 'home'), join(folder, 'all', 'again'))
    const result = await run('status', {})
    expect(result).toMatchObject({ repositories: [{ repository: 'home' }] })
  })
})
