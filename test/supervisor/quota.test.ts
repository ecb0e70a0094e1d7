// How much an agent has written, seen from outside, and what becomes of one that wrote too much.

import { execFileSync, spawn } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Excess, findExcess, maxEntries, measure, openQuota } from '../../supervisor/quota.ts'
import { stateLayout } from '../../supervisor/state.ts'

const mebibyte = 1024 * 1024
let base: string
let data: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-quota-'))
  data = join(base, 'data')
  mkdirSync(data)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const fill = (name: string, bytes: number) =>
  writeFileSync(join(data, name), Buffer.alloc(bytes, 1))

describe('what a folder holds', () => {
  it('is counted in blocks and names, at every depth, links not followed', async () => {
    mkdirSync(join(data, 'deep', 'deeper'), { recursive: true })
    fill('deep/deeper/file', mebibyte)
    writeFileSync(join(base, 'elsewhere'), Buffer.alloc(8 * mebibyte, 1))
    symlinkSync(join(base, 'elsewhere'), join(data, 'link'))
    writeFileSync(join(data, 'hole'), '')
    truncateSync(join(data, 'hole'), 32 * mebibyte)
    const { bytes, entries } = await measure(data)
    expect(entries).toBe(5)
    expect(bytes).toBeGreaterThanOrEqual(mebibyte)
    expect(bytes).toBeLessThan(2 * mebibyte)
  })

  it('is not counted to the end once it is enough', async () => {
    for (let n = 0; n < 100; n += 1) writeFileSync(join(data, `n${n}`), '')
    const { entries } = await measure(data, { bytes: mebibyte, entries: 10 })
    expect(entries).toBeGreaterThan(10)
    expect(entries).toBeLessThan(100)
  })

  it('includes what is deleted and held open', async () => {
    const script =
      'exec 3>"$1/gone"; rm "$1/gone"; head -c 4000000 /dev/zero >&3; echo; exec sleep 60'
    const holder = spawn('sh', ['-c', script, 'sh', data], { stdio: ['ignore', 'pipe', 'ignore'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const folders = [{ folder: data, most: { bytes: mebibyte, entries: 10 } }]
    try {
      expect(await findExcess(folders)).toBeUndefined()
      expect(await findExcess(folders, holder.pid)).toMatchObject({ folder: data, entries: 0 })
    } finally {
      holder.kill('SIGKILL')
    }
  })
})

describe('one life of a sandbox', () => {
  const bound = 2 * mebibyte
  const open = (change: { readonly hasVolume?: boolean } = {}) => {
    const layout = stateLayout(join(base, 'state')).replica({ agent: 'test', n: 0 })
    for (const folder of [layout.ledger, layout.run]) mkdirSync(folder, { recursive: true })
    const volumes = change.hasVolume === true ? { mount: () => Promise.resolve() } : undefined
    return openQuota({
      layout,
      storage: { bytes: bound, volumes },
      granted: [
        { source: data, at: '/data/x', mode: 'rw' },
        { source: base, at: '/data/y', mode: 'ro' },
      ],
    })
  }
  const ledger = () => stateLayout(join(base, 'state')).replica({ agent: 'test', n: 0 }).ledger
  const excessOf = async (write: () => void) => {
    const quota = await open()
    const excess = new Promise<Excess>((resolve) => quota.watch(process.pid, resolve))
    await quota.measured
    write()
    return excess.finally(() => quota.stop())
  }

  it('may begin in a folder that holds more than an agent may write', async () => {
    fill('photograph', 2 * bound)
    await expect(open()).resolves.toBeDefined()
  })

  it('ends when it adds more bytes than it may to a folder of the person', async () => {
    fill('photograph', 2 * bound)
    const excess = await excessOf(() => fill('flood', bound + mebibyte))
    expect(excess.folder).toBe(data)
    expect(excess.bytes).toBeGreaterThan(excess.most.bytes)
  })

  it('ends when it adds more names than it may, however small', async () => {
    writeFileSync(join(base, 'one'), '')
    const excess = await excessOf(() => {
      for (let n = 0; n <= maxEntries; n += 1) linkSync(join(base, 'one'), join(data, `n${n}`))
    })
    expect(excess).toMatchObject({ folder: data, most: { entries: maxEntries } })
  })

  it('is not followed by another one until what it added is gone', async () => {
    await excessOf(() => fill('flood', bound + mebibyte))
    await expect(open()).rejects.toMatchObject({ code: 'OVER_QUOTA' })
    rmSync(join(data, 'flood'))
    await expect(open()).resolves.toBeDefined()
    // The person's own additions of the time in between are no longer held against it.
    fill('photograph', 2 * bound)
    await expect(open()).resolves.toBeDefined()
  })

  it('does not begin with a ledger that is too large, where no volume bounds it', async () => {
    await open()
    execFileSync('sh', ['-c', 'head -c 4000000 /dev/zero > "$1/filler"', 'sh', ledger()])
    await expect(open()).rejects.toMatchObject({ code: 'OVER_QUOTA' })
    await expect(open({ hasVolume: true })).resolves.toBeDefined()
  })
})
