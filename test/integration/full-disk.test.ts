// Agents on a disk that is really full: a tmpfs of a few pages in a mount namespace of its own, so
// that no privilege is needed and nothing stays mounted.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const script = 'mount -t tmpfs -o size=96k tmpfs "$1" && exec "$2" "$3" "$1"'
const namespaces = spawnSync('unshare', ['-rm', 'true'])
if (namespaces.status !== 0) console.log('skipped: a full disk (no user namespaces here)')

test.skipIf(namespaces.status !== 0)(
  'on a full disk a write fails as STORAGE_FULL, may be repeated, and loses nothing',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-full-disk-'))
    try {
      const program = new URL('../support/full-disk.ts', import.meta.url).pathname
      const args = ['-rm', 'sh', '-c', script, 'sh', folder, process.execPath, program]
      const result = spawnSync('unshare', args, { encoding: 'utf8' })
      expect(result.stderr).toBe('')
      expect(JSON.parse(result.stdout)).toEqual({
        outcomes: ['STORAGE_FULL absent', 'STORAGE_FULL absent'],
        lost: [],
        left: [],
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
