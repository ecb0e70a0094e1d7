// The notary's process, killed around the moment at which it takes up new keys: whatever is left, the
// next start goes on, what the two files of a key say agrees with the log, and the log verifies from
// the first key.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyTree } from '../../security/audit/verification.ts'
import { keysInUseSchema } from '../../security/keys-in-use.ts'
import { generateKeyPairJwk, thumbprint } from '../../security/verify/keys.ts'
import { createNotaryProcess, type NotaryProcess, readAudit } from '../support/notary-process.ts'

let notary: NotaryProcess
beforeAll(async () => {
  notary = await createNotaryProcess([{ agent: 'notes', n: 0 }])
})
afterAll(() => notary.stop())

const place = (name: string) => join(notary.folder, name)
const inUse = () => keysInUseSchema.parse(JSON.parse(readFileSync(place('keys.json'), 'utf8')))

it('has new keys in use after each kill, and one unbroken audit', async () => {
  for (let round = 0; round < 8; round += 1) {
    expect(await notary.start()).toEqual({ ready: true })
    const [signing, audit] = [await generateKeyPairJwk(), await generateKeyPairJwk()]
    for (const [name, { privateJwk }] of Object.entries({ signing, audit })) {
      writeFileSync(place(`${name}.next.jwk.json`), JSON.stringify(privateJwk), { mode: 0o600 })
    }
    notary.hangUp()
    // From before it hears of them to after it is done.
    await delay(round * 3)
    await notary.end('SIGKILL')
    expect(await notary.start()).toEqual({ ready: true })
    const now = inUse()
    expect(now.signing).toBe(await thumbprint(signing.publicJwk))
    expect(now.audit.at(-1)?.key.x).toBe(audit.publicJwk.x)
    expect(now.audit).toHaveLength(round + 2)
    expect(existsSync(place('audit.next.jwk.json'))).toBe(false)
    await notary.end('SIGTERM')
    const { ok, mismatches } = await verifyTree({
      ...readAudit(notary.folder),
      auditKey: notary.auditKey,
    })
    expect({ ok, mismatches }).toEqual({ ok: true, mismatches: [] })
  }
})

it('does not start with an audit key that its log does not name', async () => {
  const { privateJwk } = await generateKeyPairJwk()
  writeFileSync(place('audit.jwk.json'), JSON.stringify(privateJwk))
  expect(await notary.start()).toMatchObject({ ready: false, code: 'CONFIG' })
})
