// The command's verification against a source that counts what is read: whole once per start of the
// platform, new rows afterwards, and never further than what the owner's own key vouches for.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { AuditSource } from '../../cli/audit-source.ts'
import { verifyAudit, verifyWholeAudit } from '../../cli/audit-verification.ts'
import { readWitness, witnessHead } from '../../security/audit/witness.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { auditKey, createLog } from '../security/audit-log.ts'

const size = 10_000
const log = await createLog(size + 20, 1_000)
const approver = await generateKeyPairJwk()

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-verify-'))
  mkdirSync(join(state, 'cli'))
  writeFileSync(join(state, 'cli', 'approver.jwk.json'), JSON.stringify(approver.privateJwk))
  onTestFinished(() => rmSync(state, { recursive: true }))
})

interface View {
  readonly upTo?: number
  readonly platform?: string | undefined
  /** A row whose body was changed. */
  readonly altered?: number
  /** Size of the head that the anchor workflow holds. */
  readonly anchored?: number
}

/** The log up to a size, as one start of the platform shows it. */
function show(view: View = {}) {
  const { upTo = size, altered } = view
  const read: number[] = []
  const checkpoints = log.checkpoints.filter((checkpoint) => checkpoint.size <= upTo)
  const source: AuditSource = {
    state,
    whole: true,
    platform: 'platform' in view ? view.platform : 'first',
    async *rows(from) {
      for (const row of log.rows.slice(from - 1, upTo)) {
        read.push(row.seq)
        yield row.seq === altered ? { ...row, actor: 'somebody' } : row
      }
    },
    checkpoints: async (from) => checkpoints.filter((checkpoint) => checkpoint.size >= from),
    anchored: async () => log.checkpoints.filter((head) => head.size === view.anchored),
    head: async () => checkpoints.at(-1),
    requests: async () => [],
    request: async () => undefined,
  }
  return { source, read }
}

async function verify(view: View = {}) {
  const { source, read } = show(view)
  const { ok, firstBadSeq, rows, witnesses } = await verifyAudit(source, auditKey)
  return { ok, firstBadSeq, rows, witnesses, read: read.length }
}

const good = { ok: true, firstBadSeq: undefined }
const verified = () => join(state, 'cli', 'verified.json')

describe('verification after a verification', () => {
  it('reads only the rows that are new', async () => {
    expect(await verify()).toMatchObject({ ...good, rows: size, read: size })
    expect(await verify()).toMatchObject({ ...good, rows: size, read: 0 })
    expect(await verify({ upTo: size + 20 })).toMatchObject({ ...good, rows: size + 20, read: 20 })
  })

  it('finds what is wrong with a new row', async () => {
    await verify()
    const view = { upTo: size + 20, altered: size + 7 }
    expect(await verify(view)).toMatchObject({ ok: false, firstBadSeq: size + 7 })
    expect(await verify(view)).toMatchObject({ ok: false, firstBadSeq: size + 7 })
  })

  it('finds an old row that was altered meanwhile at the next start of the platform', async () => {
    await verify()
    expect(await verify({ altered: 17 })).toMatchObject({ ok: true, read: 0 })
    expect(await verify({ altered: 17, platform: 'second' })).toMatchObject({
      ok: false,
      firstBadSeq: 17,
    })
  })

  it('finds it at once when it reads the whole, or when the platform is down', async () => {
    await verify()
    const whole = await verifyWholeAudit(show({ altered: 17 }).source, auditKey)
    expect(whole).toMatchObject({ ok: false, firstBadSeq: 17 })
    expect(await verify({ altered: 17, platform: undefined })).toMatchObject({
      ok: false,
      firstBadSeq: 17,
    })
  })

  it('reads everything again when the log is smaller than what was verified', async () => {
    await verify()
    expect(await verify({ upTo: 9_000 })).toMatchObject({ ok: false, firstBadSeq: 9_001 })
  })
})

describe('what was verified', () => {
  it('is not believed from anyone without the approver key', async () => {
    await verify()
    const { jws } = JSON.parse(readFileSync(verified(), 'utf8'))
    const [header, payload, signature] = String(jws).split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, platform: 'second' }))
    const other = `${header}.${forged.toString('base64url')}.${signature}`
    writeFileSync(verified(), JSON.stringify({ jws: other }))
    expect(await verify({ platform: 'second' })).toMatchObject({ ...good, read: size })
  })

  it.each([
    ['is gone', () => rmSync(verified())],
    ['is no JSON', () => writeFileSync(verified(), '{')],
    ['is empty', () => writeFileSync(verified(), '{}')],
  ])('is read again when its file %s', async (_, damage) => {
    await verify()
    damage()
    expect(await verify()).toMatchObject({ ...good, read: size })
  })
})

describe('the witnesses', () => {
  it('are asked, and the command is one itself from its first verification on', async () => {
    const worker = join(state, 'worker', 'witness.jsonl')
    expect(await verify()).toMatchObject({ ...good, witnesses: 0 })
    const nine = log.checkpoints.find((checkpoint) => checkpoint.size === 9_000)
    if (nine !== undefined) witnessHead(worker, nine)
    expect(await verify({ platform: 'second' })).toMatchObject({ ...good, witnesses: 2 })
    expect(readWitness(join(state, 'cli', 'witness.jsonl')).map((head) => head.size)).toEqual([
      size,
    ])
  })

  it('find an old copy of the whole folder of the notary', async () => {
    await verify()
    expect(await verify({ upTo: 8_000, platform: undefined })).toMatchObject({
      ok: false,
      firstBadSeq: 8_001,
    })
  })

  it('include the anchor workflow, also when both files were deleted', async () => {
    expect(await verify({ anchored: 9_000 })).toMatchObject({ ...good, witnesses: 1 })
    rmSync(join(state, 'cli', 'witness.jsonl'))
    expect(await verify({ upTo: 8_000, anchored: 9_000, platform: 'second' })).toMatchObject({
      ok: false,
      firstBadSeq: 8_001,
    })
  })

  it('learn nothing from a log that does not verify', async () => {
    await verify({ altered: 17 })
    expect(readWitness(join(state, 'cli', 'witness.jsonl'))).toEqual([])
  })
})
