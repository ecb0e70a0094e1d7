// A disk that others have filled: nothing new is authorised, the refusal is recorded in space that
// was set aside for it, facts still settle, and all goes on when there is room again. Needs a file
// system of its own, so root and Linux.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyTree } from '../../security/audit/verification.ts'
import { toPublicJwk } from '../../security/verify/keys.ts'
import { createHarness, execute, type Harness } from '../notary/harness.ts'
import { append, items, list, twoWrites } from '../notary/plans.ts'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
if (!canMount) console.warn('skipped: a full disk (mounting a file system needs root on Linux)')

describe.skipIf(!canMount)('a disk filled by others', () => {
  let disk: string
  let harness: Harness

  beforeAll(async () => {
    disk = mkdtempSync(join(tmpdir(), 'bulkhead-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
    const folder = join(disk, 'notary')
    mkdirSync(folder)
    harness = await createHarness({ folder, reserveBytes: 512 * 1024 })
  })
  afterAll(async () => {
    await harness.close()
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  })

  const filler = () => join(disk, 'filler')

  function fill(): void {
    try {
      writeFileSync(filler(), Buffer.alloc(8 * 1024 * 1024, 1))
    } catch {
      // Written as far as it goes: that is the point.
    }
  }

  it('refuses, records that it refused, and goes on when there is room', async () => {
    const run = await harness.run(twoWrites)
    const token = await run.token('read', list)
    fill()
    // What the file had to spare is used up first.
    const ask = () => run.authorize('first', { note: 'wrong' })
    await expect
      .poll(ask, { interval: 0, timeout: 30_000 })
      .toMatchObject({ status: 'DENIED', code: 'AUDIT_UNAVAILABLE' })
    expect(await run.authorize('first', append('a'))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect(harness.rows().at(-1)?.body).toContain('DISK_FULL')

    const done = { status: 'DONE', value: items([]) } as const
    const settled = await run.settle('read', await execute(token, done, harness.keys.receipt))
    expect(settled).toMatchObject({ outcome: 'settled' })

    harness.clock.time += 2_000
    expect(await run.authorize('first', append('a'))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    rmSync(filler())
    harness.clock.time += 2_000
    expect(await run.authorize('first', append('a'))).toMatchObject({ status: 'AUTHORISED' })

    await harness.notary.tick()
    const verified = await verifyTree({
      rows: harness.rows(),
      checkpoints: [...harness.store.checkpoints(0, 500)],
      auditKey: toPublicJwk(harness.keys.audit),
    })
    expect(verified.ok).toBe(true)
  })
})
