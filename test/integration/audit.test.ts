// The audit of a real deployment: verified and reconciled while it runs, after everything was killed,
// as an export elsewhere, and after each of ten tamperings by somebody who owns the files. The last
// has the audit key as well, and is found by what the others remember.

import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { type AuditRow, genesisHash, hashRow } from '../../security/audit/format.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const verifySchema = z.object({
  ok: z.boolean(),
  rows: z.number(),
  witnesses: z.number(),
  firstBadSeq: z.number().optional(),
  mismatches: z.array(z.object({ seq: z.number(), what: z.string() })),
  gaps: z.array(
    z.object({ run: z.string(), step: z.string(), what: z.string(), where: z.string() }),
  ),
  reconciled: z.object({ runs: z.number(), effects: z.number() }),
  unreached: z.array(z.string()),
})
type Verified = z.infer<typeof verifySchema>

const base = mkdtempSync(join(tmpdir(), 'bulkhead-audit-'))
const killed = join(base, 'killed')
const oldCopy = join(base, 'old.db')
let deployment: TestDeployment
let online: Verified
let exported: string
let runs: readonly string[]

async function verify(state: string, ...more: string[]): Promise<Verified> {
  const { stdout, stderr } = await runCli(['audit', 'verify', '--state', state, '--json', ...more])
  expect(stdout, stderr).not.toBe('')
  return verifySchema.parse(JSON.parse(stdout))
}

async function run(state: string): Promise<string> {
  const { code, stdout, stderr } = await runCli([
    'run',
    'morning-briefing',
    '--state',
    state,
    '--json',
  ])
  expect(code, stderr).toBe(0)
  return z.object({ requestId: z.string() }).parse(JSON.parse(stdout)).requestId
}

/** All that verification reads, as it lies there. */
function copyState(from: string, to: string): void {
  for (const part of ['public', 'notary', 'cli', 'worker', 'agents']) {
    cpSync(join(from, part), join(to, part), {
      recursive: true,
      filter: (file) => !lstatSync(file).isSocket() && basename(file) !== 'bundle',
    })
  }
}

beforeAll(async () => {
  mkdirSync(join(base, 'state'))
  deployment = await startDeployment({ home: 'sample', state: join(base, 'state') })
  const { state } = deployment
  const first = await run(state)
  const database = new Database(join(state, 'notary', 'audit.db'), { readonly: true })
  await database.backup(oldCopy)
  database.close()
  runs = [first, await run(state)]
  online = await verify(state)
  exported = (await runCli(['audit', 'export', '--state', state])).stdout
  await run(state)
  await deployment.kill()
  copyState(state, killed)
}, 240_000)

afterAll(async () => {
  // Of the second start: the first was killed, and what it left the second has cleared away.
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
})

/** A copy of the killed deployment to do something to. */
function another(): string {
  const state = mkdtempSync(join(base, 'copy-'))
  copyState(killed, state)
  return state
}

describe('an honest audit', () => {
  it('agrees with ledgers, history and witnesses while the platform runs', () => {
    expect(online).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(online.reconciled).toMatchObject({ runs: 2 })
    expect(online.reconciled.effects).toBeGreaterThanOrEqual(8)
    expect(online.witnesses).toBe(3)
  })

  it('verifies at once after everything was killed, and says what it could not compare', async () => {
    const verified = await verify(another())
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [] })
    expect(verified.rows).toBeGreaterThan(online.rows)
    expect(verified.reconciled.runs).toBe(3)
    expect(verified.unreached).toEqual(['Temporal history: the platform is down'])
  })

  it('verifies elsewhere from an export and the public key alone', async () => {
    const folder = mkdtempSync(join(base, 'elsewhere-'))
    const [file, key] = [join(folder, 'audit.jsonl'), join(folder, 'key.json')]
    writeFileSync(file, exported)
    copyFileSync(join(killed, 'public', 'audit-key.json'), key)
    const own = ['--file', file, '--key', key]
    expect(await verify(folder, ...own)).toMatchObject({ ok: true, gaps: [] })

    const lines = exported.trim().split('\n')
    writeFileSync(file, lines.filter((_, index) => index !== 4).join('\n'))
    expect(await verify(folder, ...own)).toMatchObject({ ok: false, firstBadSeq: 5 })
    writeFileSync(file, exported)
    writeFileSync(key, JSON.stringify((await generateKeyPairJwk()).publicJwk))
    expect(await verify(folder, ...own)).toMatchObject({ ok: false })
  })
})

type Tamper = (db: Database.Database, state: string) => unknown

/** As the owner of the file: guards dropped, then whatever is wanted. */
async function tampered(tamper: Tamper): Promise<Verified> {
  const state = another()
  const db = new Database(join(state, 'notary', 'audit.db'))
  for (const name of ['audit_no_update', 'audit_no_delete', 'audit_no_replace']) {
    db.exec(`DROP TRIGGER ${name}`)
  }
  db.exec('DROP TRIGGER checkpoint_no_update; DROP TRIGGER checkpoint_no_delete')
  await tamper(db, state)
  db.close()
  return verify(state)
}

const sizeOf = (db: Database.Database): number =>
  z.number().parse(db.prepare('SELECT max(seq) FROM audit').pluck().get())

/** Writes these rows anew, chained and signed with the true audit key. */
async function reseal(db: Database.Database, state: string, kept: readonly AuditRow[]) {
  const key: unknown = JSON.parse(readFileSync(join(state, 'notary', 'audit.jwk.json'), 'utf8'))
  const seal = await createHeadSealer(key)
  db.exec('DELETE FROM audit; DELETE FROM checkpoint; DELETE FROM tip')
  const insert = db.prepare(
    `INSERT INTO audit VALUES (@seq, @at, @kind, @actor, @subject, @correlation, @trace, @body,
     @prev, @leaf)`,
  )
  let tree = emptyTree()
  let prev = genesisHash
  for (const [index, row] of kept.entries()) {
    const sealed = { ...row, seq: index + 1, prev }
    prev = hashRow(sealed)
    tree = appendLeaf(tree, prev)
    insert.run({ ...sealed, leaf: prev })
  }
  const head = seal({ size: tree.size, root: treeRoot(tree), at: Date.now() })
  db.prepare('INSERT INTO tip VALUES (1, @size, @root, @at, @jws)').run(head)
}

describe('verification names', () => {
  it.each<[string, Tamper, number]>([
    ['an edited row', (db) => db.exec(`UPDATE audit SET body = '{}' WHERE seq = 9`), 9],
    [
      'two swapped rows',
      (db) =>
        db.exec(`UPDATE audit SET seq = -9 WHERE seq = 9; UPDATE audit SET seq = 9 WHERE seq = 12;
                 UPDATE audit SET seq = 12 WHERE seq = -9`),
      9,
    ],
    ['a row deleted in the middle', (db) => db.exec('DELETE FROM audit WHERE seq = 9'), 9],
    [
      'reordered rows that are numbered anew',
      (db) =>
        db.exec(`UPDATE audit SET seq = -seq WHERE seq BETWEEN 9 AND 11;
                 UPDATE audit SET seq = seq + 20 WHERE seq BETWEEN -11 AND -9`),
      9,
    ],
    [
      'a row put in the place of another',
      (db) =>
        db.exec(`INSERT OR REPLACE INTO audit SELECT 9, at, kind, actor, subject, correlation, trace,
                 body, prev, leaf FROM audit WHERE seq = 20`),
      9,
    ],
    [
      'a checkpoint that nobody signed',
      (db) => db.exec(`UPDATE tip SET size = 9, jws = 'a.b.c'`),
      9,
    ],
  ])('%s', async (_, tamper, firstBadSeq) => {
    expect(await tampered(tamper)).toMatchObject({ ok: false, firstBadSeq })
  })

  it('a tail that was cut off together with every checkpoint over it', async () => {
    let size = 0
    const cut: Tamper = (db) => {
      size = sizeOf(db)
      db.exec(`DELETE FROM audit WHERE seq > ${size - 5}; DELETE FROM tip;
               DELETE FROM checkpoint WHERE size > ${size - 5}`)
    }
    const { ok, firstBadSeq, mismatches } = await tampered(cut)
    expect(ok).toBe(false)
    expect(firstBadSeq).toBeLessThanOrEqual(size - 4)
    expect(mismatches.map(({ what }) => what)).toContain('ROLLED_BACK')
  })

  it('an old copy, whole and signed as it is', async () => {
    const state = another()
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(state, 'notary', `audit.db${suffix}`), { force: true })
    }
    copyFileSync(oldCopy, join(state, 'notary', 'audit.db'))
    const { ok, rows, mismatches, gaps } = await verify(state)
    expect([ok, mismatches]).toEqual([false, [{ seq: rows + 1, what: 'ROLLED_BACK' }]])
    // The ledgers remember the runs that it does not.
    expect(gaps.length).toBeGreaterThan(0)
    expect(new Set(gaps.map(({ what }) => what))).toEqual(new Set(['NOT_RECORDED']))
  })

  it("another deployment's rows among its own", async () => {
    const mix: Tamper = async (db, state) => {
      const rows = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
      const foreign = await generateKeyPairJwk()
      const key = join(state, 'notary', 'audit.jwk.json')
      writeFileSync(key, JSON.stringify(foreign.privateJwk))
      await reseal(db, state, rows.slice(0, 20))
    }
    expect(await tampered(mix)).toMatchObject({
      ok: false,
      mismatches: expect.arrayContaining([{ seq: 20, what: 'CHECKPOINT' }]),
    })
  })

  it('by run and step what was left out by somebody with the audit key and without a witness', async () => {
    const [runId = ''] = runs
    let step = ''
    const omit: Tamper = async (db, state) => {
      const rows = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
      const intents = rows.filter((row) => row.kind === 'intent' && row.correlation === runId)
      step = intents.at(-1)?.subject ?? ''
      const kept = rows.filter((row) => row.correlation !== runId || row.subject !== step)
      await reseal(db, state, kept)
      for (const holder of ['cli', 'worker']) rmSync(join(state, holder, 'witness.jsonl'))
    }
    const { ok, mismatches, gaps } = await tampered(omit)
    expect([ok, mismatches]).toEqual([false, []])
    expect(gaps).toEqual([
      { run: runId, step, what: 'NOT_RECORDED', where: expect.stringMatching(/^ledger of /) },
    ])
  })

  it('leaves no file in the folders it looks into', async () => {
    const state = another()
    const files = () =>
      ['calendar.0', 'notes.0'].flatMap((replica) => [
        ...['', '-wal', '-shm'].map((suffix) =>
          existsSync(join(state, 'agents', replica, 'ledger', `ledger.db${suffix}`)),
        ),
        digestOf(join(state, 'agents', replica, 'ledger.img')),
      ])
    const before = files()
    await verify(state)
    expect(files()).toEqual(before)
  })
})

/** Of a ledger's volume, where there is one: mounting it would already change it. */
function digestOf(image: string): string | undefined {
  return existsSync(image)
    ? createHash('sha256').update(readFileSync(image)).digest('hex')
    : undefined
}

describe('a platform that is started on an audit that was altered meanwhile', () => {
  const show = async () => {
    const { code, stdout } = await runCli([
      'runs',
      'show',
      runs[0] ?? '',
      '--state',
      deployment.state,
      '--json',
    ])
    return { code, audit: z.object({ audit: z.unknown() }).parse(JSON.parse(stdout)).audit }
  }

  it('says so with every run that is shown, although it was verified before that start', async () => {
    const { state } = deployment
    const db = new Database(join(state, 'notary', 'audit.db'))
    db.exec(`DROP TRIGGER audit_no_update; UPDATE audit SET body = '{}' WHERE seq = 9`)
    db.close()
    deployment = await startDeployment({ home: 'sample', state })
    expect(await show()).toMatchObject({ code: 1, audit: { verified: false } })
    expect(await show()).toMatchObject({ code: 1, audit: { verified: false } })
  })
})
