// A disk that fills up under the artifact store: a code of its own, nothing half-written, nothing
// lost, and work again as soon as there is room. On a small tmpfs in a mount namespace of its own.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c']
const canMount = spawnSync('unshare', [...unshare, 'mount -t tmpfs none /mnt']).status === 0

describe.skipIf(!canMount)('the artifact store on a full disk (needs user namespaces)', () => {
  it('refuses with STORAGE_FULL, keeps what it has, and recovers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-full-'))
    const program = join(import.meta.dirname, '..', 'support', 'fill-artifacts.ts')
    const said = execFileSync('unshare', [
      ...unshare,
      'mount -t tmpfs -o size=512k none "$0" && exec "$1" "$2" "$0"',
      folder,
      process.execPath,
      program,
    ])
    rmSync(folder, { recursive: true })
    const { stored, ...rest } = JSON.parse(said.toString())
    expect(stored).toBeGreaterThan(3)
    expect(rest).toEqual({ readable: stored, code: 'STORAGE_FULL', leftovers: [], later: 'stored' })
  })
})
