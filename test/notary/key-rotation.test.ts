// The notary's keys while it runs: a successor that lies there is taken up, and whoever dies between
// any two of its steps finds the rest to do. What was signed verifies from the first key throughout.

import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCommitmentKey } from '../../notary/commitment-key.ts'
import { readNotaryKeys } from '../../notary/config.ts'
import { createCommitmentKey } from '../../notary/context.ts'
import { createKeyRing, type KeyRing, settleAuditKey } from '../../notary/keys.ts'
import { type AuditStore, openStore } from '../../notary/store.ts'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import {
  generateKeyPairJwk,
  type PrivateJwk,
  thumbprint,
  toPublicJwk,
} from '../../security/verify/keys.ts'

let behindMs = 0
/** Of its own beginning: a clock of the machine that is set meanwhile would be one more thing going back. */
const begun = Date.now() - performance.now()
const clock = { now: () => Math.floor(begun + performance.now()) - behindMs }
let folder: string
let first: { readonly signing: PrivateJwk; readonly audit: PrivateJwk }
const opened: AuditStore[] = []

const place = (name: string) => join(folder, name)
const put = (name: string, value: unknown) => writeFileSync(place(name), JSON.stringify(value))
const read = (name: string): unknown => JSON.parse(readFileSync(place(name), 'utf8'))
const draw = async () => (await generateKeyPairJwk()).privateJwk

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-notary-keys-'))
  first = { signing: await draw(), audit: await draw() }
  put('signing.jwk.json', first.signing)
  put('audit.jwk.json', first.audit)
})
afterEach(async () => {
  behindMs = 0
  for (const store of opened.splice(0)) await store.close()
  rmSync(folder, { recursive: true })
})

async function open(): Promise<AuditStore> {
  const seal = await createHeadSealer(readNotaryKeys(folder).audit)
  const store = openStore({ folder, clock, seal, reserveBytes: 4_096 })
  opened.push(store)
  return store
}

async function start(): Promise<{ store: AuditStore; ring: KeyRing }> {
  const store = await open()
  const keys = readNotaryKeys(folder)
  return { store, ring: await createKeyRing(folder, { keys, store }) }
}

/** As the process ends: nothing of memory is left. */
const end = async () => {
  for (const store of opened.splice(0)) await store.close()
}

const note = (store: AuditStore, subject: string) =>
  store.commit('fact', (writer) =>
    writer.append({
      ...{ kind: 'message', actor: 'test', correlation: '', trace: '', body: {} },
      subject,
    }),
  )

async function verdict(store: AuditStore) {
  const { ok, rows, mismatches } = await verifyTree({
    rows: store.rows({ from: 1, limit: 1_000 }),
    checkpoints: [...store.checkpoints(0, 1_000)],
    auditKey: toPublicJwk(first.audit),
    head: store.head(),
  })
  return { ok, rows, mismatches }
}

const rowsOf = (store: AuditStore, subject: string) =>
  [...store.rows({ from: 1, limit: 1_000 })].filter((row) => row.subject === subject)

describe('the audit key', () => {
  it('is replaced in the middle of rows that are written together, and all of them verify', async () => {
    const { store, ring } = await start()
    await note(store, 'before')
    const next = await draw()
    put('audit.next.jwk.json', next)
    // One batch: rows before the change, the change, rows after it.
    const batch = [note(store, 'a'), ring.reload(), note(store, 'b'), note(store, 'c')]
    await Promise.all(batch)
    await note(store, 'after')
    expect(store.auditKeys().map(({ key }) => key.x)).toEqual([first.audit.x, next.x])
    expect(await verdict(store)).toMatchObject({ ok: true, mismatches: [] })
    expect(read('audit.jwk.json')).toEqual(next)
    expect(existsSync(place('audit.next.jwk.json'))).toBe(false)
    expect(read('keys.json')).toMatchObject({ audit: store.auditKeys() })
  })

  it('is replaced again and again', async () => {
    const { store, ring } = await start()
    for (let round = 0; round < 3; round += 1) {
      put('audit.next.jwk.json', await draw())
      await ring.reload()
      await note(store, `round ${round}`)
    }
    expect(store.auditKeys()).toHaveLength(4)
    expect(await verdict(store)).toMatchObject({ ok: true })
  })

  it('is the new one after a crash between its row and its file', async () => {
    const { store } = await start()
    const next = await draw()
    put('audit.next.jwk.json', next)
    const seal = await createHeadSealer(next)
    const key = toPublicJwk(next)
    await store.replaceAuditKey({ before: toPublicJwk(first.audit), key, seal })
    await end()
    const half = await open()
    expect(settleAuditKey(folder, half, readNotaryKeys(folder))).toBe(false)
    await end()
    const { store: later, ring } = await start()
    expect(settleAuditKey(folder, later, readNotaryKeys(folder))).toBe(true)
    await ring.reload()
    await note(later, 'after')
    expect(later.auditKeys()).toHaveLength(2)
    expect(await verdict(later)).toMatchObject({ ok: true })
  })

  it('is taken up by the next start when nobody told the last one', async () => {
    await start()
    await end()
    put('audit.next.jwk.json', await draw())
    const { store, ring } = await start()
    await ring.reload()
    expect(store.auditKeys()).toHaveLength(2)
    expect(await verdict(store)).toMatchObject({ ok: true })
  })

  it('may not be the old one again, nor a third', async () => {
    const { store, ring } = await start()
    put('audit.next.jwk.json', await draw())
    await ring.reload()
    for (const other of [first.audit, await draw()]) {
      put('audit.jwk.json', other)
      expect(() => settleAuditKey(folder, store, readNotaryKeys(folder))).toThrow(
        'is not the key that the audit names',
      )
    }
  })

  it('stays what it is when the row cannot be written, and is replaced when it can', async () => {
    const { store, ring } = await start()
    await note(store, 'before')
    const next = await draw()
    put('audit.next.jwk.json', next)
    behindMs = 60_000
    await expect(ring.reload()).rejects.toMatchObject({ code: 'CLOCK_BACKWARDS' })
    expect(store.auditKeys()).toEqual([])
    expect(read('audit.jwk.json')).toEqual(first.audit)
    behindMs = 0
    await note(store, 'between')
    await ring.reload()
    await note(store, 'after')
    expect(store.auditKeys()).toHaveLength(2)
    expect(await verdict(store)).toMatchObject({ ok: true, rows: 4 })
  })

  it('stays what it is when the transaction of its row is rolled back', async () => {
    const { store } = await start()
    const before = toPublicJwk(first.audit)
    const key = toPublicJwk(await draw())
    const seal = () => {
      throw new Error('a key that cannot sign')
    }
    const batch = [store.replaceAuditKey({ before, key, seal }), note(store, 'with it')]
    const results = await Promise.allSettled(batch)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await note(store, 'after')
    expect(store.auditKeys()).toEqual([])
    expect(await verdict(store)).toMatchObject({ ok: true, rows: 1 })
  })

  it('is refused as a successor where redaction would hide it from every verifier', async () => {
    const { store } = await start()
    const key = { ...toPublicJwk(first.audit), x: `sk-${'a'.repeat(40)}` }
    const seal = await createHeadSealer(first.audit)
    const replacement = { before: toPublicJwk(first.audit), key, seal }
    await expect(store.replaceAuditKey(replacement)).rejects.toThrow('does not name the key')
    expect(store.size()).toBe(0)
    expect(store.auditKeys()).toEqual([])
  })
})

describe('the signing key', () => {
  it('is taken up with its row before it signs', async () => {
    const { store, ring } = await start()
    expect(ring.minter.kid).toBe(await thumbprint(first.signing))
    const next = await draw()
    put('signing.next.jwk.json', next)
    await ring.reload()
    expect(ring.minter.kid).toBe(await thumbprint(next))
    const [row] = rowsOf(store, 'token-key')
    expect(JSON.parse(row?.body ?? '')).toMatchObject({
      event: 'token-key',
      previous: await thumbprint(first.signing),
      current: await thumbprint(next),
    })
    expect(read('signing.jwk.json')).toEqual(next)
    expect(read('keys.json')).toMatchObject({ signing: await thumbprint(next) })
  })

  it('stays what it is when its successor is no key', async () => {
    const { ring } = await start()
    writeFileSync(place('signing.next.jwk.json'), '{')
    await expect(ring.reload()).rejects.toThrow('signing.next.jwk.json')
    expect(ring.minter.kid).toBe(await thumbprint(first.signing))
    renameSync(place('signing.next.jwk.json'), place('thrown-away'))
    await ring.reload()
    expect(read('keys.json')).toMatchObject({ signing: await thumbprint(first.signing) })
  })
})

describe('the secret of commitments', () => {
  const openIt = (rotated = false) =>
    Buffer.from(openCommitmentKey(folder, { keys: readNotaryKeys(folder), rotated }))

  it('is that of deployments before rotation, and stays when the audit key changes', async () => {
    const known = createCommitmentKey(Buffer.from(first.audit.d, 'base64url'))
    expect(openIt()).toEqual(Buffer.from(known))
    expect(statSync(place('commitment.key')).mode & 0o777).toBe(0o600)
    put('audit.jwk.json', await draw())
    expect(openIt(true)).toEqual(Buffer.from(known))
  })

  it('is not derived from another key when it is lost, nor taken when it is damaged', () => {
    expect(() => openIt(true)).toThrow('is lost')
    writeFileSync(place('commitment.key'), 'short')
    expect(() => openIt()).toThrow('is damaged')
  })
})
