// Ledger volumes with real loop devices and a real file system: what is written into one ends at its
// bound, nothing is lost on the way into it, nothing stays mounted.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ledger, openLedger } from '../../agents/ledger.ts'
import { LedgerError, markerFile } from '../../agents/ledger-file.ts'
import { readEnvironment } from '../../supervisor/config.ts'
import {
  findVolumes,
  type LedgerVolumes,
  mountPointsBelow,
} from '../../supervisor/sandbox/volume.ts'
import { ledgerKey } from '../support/agent-home.ts'

const mebibyte = 1024 * 1024
const bytes = 64 * mebibyte
const scratch = mkdtempSync(join(tmpdir(), 'bulkhead-volume-probe-'))
const found = await findVolumes(readEnvironment().path, scratch)
rmSync(scratch, { recursive: true })
if ('missing' in found) console.warn(`skipped: ledger volumes (without ${found.missing})`)

function openEmptyLedger(folder: string): Ledger {
  rmSync(join(folder, 'ledger.db'))
  writeFileSync(join(folder, markerFile), 'mine')
  return openLedger({ folder, id: 'mine', key: ledgerKey })
}

const mountsBelow = (folder: string) =>
  mountPointsBelow(folder, readFileSync('/proc/self/mountinfo', 'utf8'))

describe.skipIf('missing' in found)('a ledger volume', () => {
  const volumes = (found as { readonly volumes: LedgerVolumes }).volumes
  let base: string
  const place = () => ({ ledger: join(base, 'ledger'), image: join(base, 'ledger.img') })
  const content = (name = 'ledger.db') => readFileSync(join(base, 'ledger', name), 'utf8')

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead volume-')))
    mkdirSync(join(base, 'ledger'), { mode: 0o700 })
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'all that was ever done')
  })
  afterEach(async () => {
    await volumes.unmountBelow(base)
    rmSync(base, { recursive: true })
  })

  it('takes in the ledger that lay in the folder, with its owner and nothing beside it', async () => {
    execFileSync('chown', ['-R', '1234:1234', join(base, 'ledger')])
    await volumes.mount(place(), bytes)
    expect(mountsBelow(base)).toEqual([join(base, 'ledger')])
    expect(content()).toBe('all that was ever done')
    expect(readdirSync(join(base, 'ledger'))).toEqual(['ledger.db'])
    const folder = statSync(join(base, 'ledger'))
    expect([folder.uid, folder.gid, folder.mode & 0o777]).toEqual([1_234, 1_234, 0o700])
    expect(statSync(join(base, 'ledger.img'))).toMatchObject({ size: bytes })
    // Reserved: a disk that others fill takes nothing from it.
    expect(statSync(join(base, 'ledger.img')).blocks * 512).toBeGreaterThanOrEqual(bytes)
    expect(readdirSync(base).toSorted()).toEqual(['ledger', 'ledger.img'])
  })

  it('ends at its bound, in bytes and in names, and has room again when some is made', async () => {
    await volumes.mount(place(), bytes)
    const filler = join(base, 'ledger', 'filler')
    expect(() => writeFileSync(filler, Buffer.alloc(bytes))).toThrow('ENOSPC')
    rmSync(filler)
    let names = 0
    const flood = () => {
      for (; names < 100_000; names += 1) writeFileSync(join(base, 'ledger', `n${names}`), '')
    }
    expect(flood).toThrow('ENOSPC')
    expect(names).toBeLessThan(2_000)
    for (let name = 0; name < names; name += 1) rmSync(join(base, 'ledger', `n${name}`))
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'more')
    expect(content()).toBe('more')
  })

  it('that is full keeps its agent from effects before they run, until there is room', async () => {
    await volumes.mount(place(), bytes)
    const ledger = openEmptyLedger(join(base, 'ledger'))
    const filler = join(base, 'ledger', 'filler')
    const reserve = (jti: string) =>
      ledger.reserve({
        ...{ jti, idem: jti, argsHash: 'a', action: 'put', repeatable: false, alive: false },
        ...{ refusedFrom: 1, now: 0 },
      })
    expect(reserve('first')).toEqual({ status: 'RESERVED' })
    // Half of what an outcome may need is left: the reservation itself would fit.
    const { bavail, bsize } = statfsSync(join(base, 'ledger'))
    writeFileSync(filler, Buffer.alloc(bavail * bsize - mebibyte / 2))
    expect(() => reserve('second')).toThrow(LedgerError)
    writeFileSync(filler, Buffer.alloc(0))
    expect(reserve('second')).toEqual({ status: 'RESERVED' })
    ledger.close()
  })

  it('keeps what was written when it is unmounted and mounted again', async () => {
    await volumes.mount(place(), bytes)
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'and more')
    expect(await volumes.unmountBelow(base)).toEqual([])
    expect(readdirSync(join(base, 'ledger'))).toEqual([])
    await volumes.mount(place(), bytes)
    expect(content()).toBe('and more')
  })

  it('is used as it is where a killed supervisor left it mounted', async () => {
    await volumes.mount(place(), bytes)
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'and more')
    await volumes.mount(place(), bytes)
    expect(mountsBelow(base)).toEqual([join(base, 'ledger')])
    expect(content()).toBe('and more')
  })

  it('is the same one where another mount namespace still holds it, and all of it is in the image', async () => {
    await volumes.mount(place(), bytes)
    const holder = spawn('unshare', ['--mount', 'sh', '-c', 'echo; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    try {
      writeFileSync(join(base, 'ledger', 'ledger.db'), 'written late')
      expect(await volumes.unmountBelow(base)).toEqual([])
      expect(readFileSync(join(base, 'ledger.img')).includes('written late')).toBe(true)
      // The bound stays until nobody holds it: growing would write beside a living file system.
      await volumes.mount(place(), 2 * bytes)
      expect(content()).toBe('written late')
      expect(statSync(join(base, 'ledger.img')).size).toBe(bytes)
      writeFileSync(join(base, 'ledger', 'ledger.db'), 'written later')
    } finally {
      holder.kill('SIGKILL')
    }
    await volumes.unmountBelow(base)
    await volumes.mount(place(), bytes)
    expect(content()).toBe('written later')
  })

  it('is made from the folder again when it had not been finished', async () => {
    // A crash before the rename: half an image, and perhaps a mount.
    writeFileSync(join(base, 'ledger.img.new'), 'half an image')
    mkdirSync(join(base, 'ledger.volume'))
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(base, 'ledger.volume')])
    await volumes.mount(place(), bytes)
    expect(content()).toBe('all that was ever done')
    expect(readdirSync(base).toSorted()).toEqual(['ledger', 'ledger.img'])
  })

  it('is the ledger from its rename on, whatever still lies in the folder below', async () => {
    await volumes.mount(place(), bytes)
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'newer')
    await volumes.unmountBelow(base)
    // A crash before the folder was emptied.
    writeFileSync(join(base, 'ledger', 'ledger.db'), 'all that was ever done')
    await volumes.mount(place(), bytes)
    expect(content()).toBe('newer')
  })

  it('grows when the manifest says more, with all that is in it', async () => {
    await volumes.mount(place(), bytes)
    await volumes.unmountBelow(base)
    await volumes.mount(place(), 2 * bytes)
    expect(content()).toBe('all that was ever done')
    const { blocks, bsize } = statfsSync(join(base, 'ledger'))
    expect(blocks * bsize).toBeGreaterThan(1.8 * bytes)
  })

  it('that is damaged is refused, and the folder below does not take its place', async () => {
    await volumes.mount(place(), bytes)
    await volumes.unmountBelow(base)
    writeFileSync(join(base, 'ledger.img'), Buffer.alloc(bytes))
    await expect(volumes.mount(place(), bytes)).rejects.toMatchObject({ code: 'VOLUME_FAILED' })
    expect(mountsBelow(base)).toEqual([])
    expect(existsSync(join(base, 'ledger.img'))).toBe(true)
  })

  it('is not made on a disk that has no room for all of it', async () => {
    const disk = join(base, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk])
    mkdirSync(join(disk, 'ledger'))
    const small = { ledger: join(disk, 'ledger'), image: join(disk, 'ledger.img') }
    await expect(volumes.mount(small, bytes)).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(existsSync(small.image)).toBe(false)
  })

  it('says what is missing where nobody may mount', () => {
    const module = join(import.meta.dirname, '..', '..', 'supervisor', 'sandbox', 'volume.ts')
    const code = `import { findVolumes } from ${JSON.stringify(module)}
      console.log(JSON.stringify(await findVolumes(process.env.PATH.split(':'), ${JSON.stringify(base)})))`
    const args = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', process.execPath]
    const { stdout } = spawnSync('setpriv', [...args, '--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { PATH: readEnvironment().path.join(':') },
    })
    expect(JSON.parse(stdout)).toEqual({ missing: 'loop devices, or the right to mount' })
  })
})

describe('mount points', () => {
  it('are told apart by whole names, the deepest first, with the spaces that the kernel writes', () => {
    const table = ['/a b', '/a b/c', '/a bc', '/x'].map(
      (at, index) => `${index} 1 0:1 / ${at.replaceAll(' ', '\\040')} rw - tmpfs tmpfs rw`,
    )
    expect(mountPointsBelow('/a b', table.join('\n'))).toEqual(['/a b/c', '/a b'])
  })
})
