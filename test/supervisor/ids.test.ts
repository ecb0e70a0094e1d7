import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blockSize, chooseRange, claimOwners } from '../../supervisor/ids.ts'
import { type Owners, partyNames } from '../../supervisor/ownership.ts'

const whole = '         0          0 4294967295\n'
const container = '         0     100000      65536\n'

describe('the range of ids', () => {
  it('lies far above those of distributions where all ids exist', () => {
    expect(chooseRange(whole, whole)).toEqual({ first: 1_900_000_000, last: 2_147_352_575 })
  })

  it('lies within a container that has 65,536', () => {
    expect(chooseRange(container, container)).toEqual({ first: 30_000, last: 59_999 })
    expect(chooseRange(whole, container)).toEqual({ first: 30_000, last: 59_999 })
  })

  it.each([
    ['one id', '0 1000 1\n'],
    ['ids in pieces', '0 100000 40000\n 40000 200000 25536\n'],
    ['no map', ''],
  ])('does not exist with %s', (_what, map) => {
    expect(chooseRange(map, map)).toBeUndefined()
  })
})

describe('the ids of a deployment', () => {
  let base: string
  let registry: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'bulkhead-ids-'))
    registry = join(base, 'ids')
  })
  afterEach(() => {
    rmSync(base, { recursive: true, force: true })
  })

  const folder = (name: string) => {
    mkdirSync(join(base, name), { recursive: true })
    return join(base, name)
  }
  const replicas = [
    { agent: 'notes', n: 0, key: 'notes' },
    { agent: 'notes', n: 1, key: 'notes' },
    { agent: 'weather', n: 0, key: 'weather.0' },
    { agent: 'weather', n: 1, key: 'weather.1' },
  ]
  const claim = (state: string, agents = replicas, map = whole) =>
    claimOwners({ state, registry, agents, maps: { uid: map, gid: map } })
  const everyId = (owners: Owners) => [
    ...partyNames.map((party) => owners.of(party)?.uid),
    ...replicas.map((each) => owners.agent(each)?.uid),
  ]
  const registered = () => readdirSync(registry).filter((name) => /^\d+$/.test(name))

  it('are another for each party and agent, but for replicas that share a key', async () => {
    const owners = await claim(folder('state'))
    const ids = everyId(owners)
    expect(owners.weakness).toBeUndefined()
    expect(new Set(ids).size).toBe(partyNames.length + 3)
    expect(owners.agent({ agent: 'notes', n: 1 })).toEqual(owners.agent({ agent: 'notes', n: 0 }))
    for (const id of ids) expect(id).toBeGreaterThanOrEqual(1_900_000_000)
  })

  it('stay the same, also when agents come and go', async () => {
    const state = folder('state')
    const before = everyId(await claim(state))
    await claim(state, [{ agent: 'feeds', n: 0, key: 'feeds' }])
    expect(everyId(await claim(state))).toEqual(before)
    expect(registered()).toHaveLength(1)
  })

  it('never meet those of another deployment that starts at the same time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `state-${index}`)
    const all = await Promise.all(names.map((name) => claim(folder(name), replicas, container)))
    const ids = all.flatMap((owners) => [...new Set(everyId(owners))])
    expect(new Set(ids).size).toBe(ids.length)
    expect(registered()).toHaveLength(20)
    for (const id of ids) expect(id).toBeLessThan(60_000)
  })

  it('go along when the state folder is moved, and are drawn anew for a copy of it', async () => {
    const state = folder('state')
    const before = everyId(await claim(state))
    renameSync(state, join(base, 'moved'))
    expect(everyId(await claim(join(base, 'moved')))).toEqual(before)
    cpSync(join(base, 'moved'), join(base, 'copy'), { recursive: true })
    const copy = await claim(join(base, 'copy'))
    expect(everyId(copy)).not.toEqual(before)
    // What was copied with its owners is given to the new ones.
    expect(copy.isOurs(before[0] ?? -1)).toBe(true)
    expect(copy.isOurs(0)).toBe(true)
    expect(copy.isOurs(1_000)).toBe(false)
    expect(registered()).toHaveLength(2)
  })

  it('are free again when the state folder is gone', async () => {
    await claim(folder('one'))
    rmSync(join(base, 'one'), { recursive: true })
    await claim(folder('two'))
    expect(registered()).toHaveLength(1)
  })

  it('are refused when no block is left', async () => {
    mkdirSync(registry)
    const all = Array.from({ length: Math.floor(30_000 / blockSize) }, (_, block) => block)
    for (const block of all) {
      const first = 30_000 + block * blockSize
      const state = folder(`taken-${block}`)
      const ids = { version: 1, first, former: [], agents: {} }
      writeFileSync(join(state, 'ids.json'), JSON.stringify(ids))
      writeFileSync(join(registry, String(first)), JSON.stringify({ state }))
    }
    await expect(claim(folder('late'), replicas, container)).rejects.toThrow('is taken')
  })

  it('are one for all, and said to be, where too few exist', async () => {
    const owners = await claim(folder('state'), replicas, '0 1000 1\n')
    expect(owners.weakness).toContain('too few user ids')
    expect(new Set(everyId(owners))).toEqual(new Set([undefined]))
  })

  it('are not guessed when their record is damaged', async () => {
    const state = folder('state')
    writeFileSync(join(state, 'ids.json'), '{"version":1')
    await expect(claim(state)).rejects.toMatchObject({ code: 'STATE_UNUSABLE' })
  })
})
