// Whose ids a sandbox gets for the folders that the person named, and what is given to whom.

import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { giveReplica, prepareSandboxUser } from '../../supervisor/agent-ownership.ts'
import { type Owners, oneUser } from '../../supervisor/ownership.ts'
import { stateLayout } from '../../supervisor/state.ts'

const address = { agent: 'notes', n: 0 }
const own = { uid: 41_010, gid: 41_010 }
const owners: Owners = {
  weakness: undefined,
  of: () => ({ uid: 41_011, gid: 41_011 }),
  agent: () => own,
  isOurs: (uid) => uid === 0 || uid === 41_010 || uid === 41_011,
}

let base: string
let state: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-agent-'))
  state = join(base, 'state')
  mkdirSync(state)
})
afterEach(() => {
  rmSync(base, { recursive: true, force: true })
})

function folder(path: string, owner: { readonly uid: number; readonly gid: number }) {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'file'), '')
  for (const each of [path, join(path, 'file')]) chownSync(each, owner.uid, owner.gid)
  return path
}
const granted = (source: string, mode: 'ro' | 'rw' = 'rw') => ({ source, at: '/data', mode })
const root = { uid: 0, gid: 0 }
const person = { uid: 41_020, gid: 41_021 }
const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: giving files to other users needs root')

it('is the one user where there is only one', () => {
  const source = join(base, 'own')
  mkdirSync(source)
  const ids = { address, state, owners: oneUser('for a test') }
  expect(prepareSandboxUser([granted(source)], ids)).toBeUndefined()
})

describe.skipIf(!isRoot)('the user of a sandbox', () => {
  const ids = () => ({ address, state, owners })

  it('is the agent’s own, who gets the data that lies in the state folder', () => {
    const source = folder(join(state, 'agents', 'notes', 'data'), root)
    expect(prepareSandboxUser([granted(source)], ids())).toEqual(own)
    expect(statSync(source)).toMatchObject(own)
    expect(statSync(join(source, 'file'))).toMatchObject(own)
  })

  it('is the person whose folder it is, and the folder stays as it is', () => {
    const source = folder(join(base, 'notes'), person)
    expect(prepareSandboxUser([granted(source)], ids())).toEqual(person)
    expect(statSync(source)).toMatchObject(person)
  })

  it('is the agent’s own for a folder that the person gave to it', () => {
    expect(prepareSandboxUser([granted(folder(join(base, 'notes'), own))], ids())).toEqual(own)
  })

  it.each([
    ['root’s', root],
    ['that of another party', { uid: 41_011, gid: 41_011 }],
  ])('is refused for a folder that is %s, with the command that helps', (_whose, owner) => {
    const source = folder(join(base, 'notes'), owner)
    expect(() => prepareSandboxUser([granted(source)], ids())).toThrow(
      expect.objectContaining({
        code: 'NOT_CONFIGURED',
        next: expect.stringContaining(`chown -R 41010:41010 ${source}`),
      }),
    )
    expect(statSync(source)).toMatchObject(owner)
  })

  it('is refused for folders of two persons', () => {
    const one = folder(join(base, 'one'), person)
    const two = folder(join(base, 'two'), { uid: 41_022, gid: 41_022 })
    expect(() => prepareSandboxUser([granted(one), granted(two)], ids())).toThrow(two)
  })

  it('does not matter for a folder that everybody may read and it only reads', () => {
    const source = folder(join(base, 'open'), root)
    chmodSync(source, 0o755)
    expect(prepareSandboxUser([granted(source, 'ro')], ids())).toEqual(own)
    chmodSync(source, 0o700)
    expect(() => prepareSandboxUser([granted(source, 'ro')], ids())).toThrow(source)
  })

  it('is not fooled by a link from the state folder to a folder of somebody else', () => {
    const source = folder(join(base, 'elsewhere'), root)
    symlinkSync(source, join(state, 'data'))
    expect(() => prepareSandboxUser([granted(join(state, 'data'))], ids())).toThrow(source)
    expect(statSync(source)).toMatchObject(root)
  })
})

describe.skipIf(!isRoot)('the files of a replica', () => {
  it('belong to its user, who passes through a folder that stays root’s', async () => {
    const layout = stateLayout(state).replica(address)
    for (const path of [layout.bundle, layout.secrets, layout.ledger]) folder(path, root)
    mkdirSync(layout.run)
    const [bus, egress] = [join(state, 'bus.sock'), join(state, 'egress.sock')]
    const servers = [bus, egress].map((path) => createServer().listen(path))
    await Promise.all(servers.map((one) => new Promise((done) => one.once('listening', done))))
    giveReplica(layout, own, { bus, egress })
    for (const path of [layout.bundle, layout.secrets, layout.ledger]) {
      expect(statSync(path)).toMatchObject(own)
      expect(statSync(join(path, 'file'))).toMatchObject(own)
    }
    for (const path of [bus, egress]) expect(statSync(path)).toMatchObject(own)
    const { uid, gid, mode } = statSync(layout.folder)
    expect([uid, gid, (mode & 0o777).toString(8)]).toEqual([0, own.gid, '710'])
    for (const one of servers) one.close()
  })

  it('are not given while the gateway has something else in its socket’s place', () => {
    const layout = stateLayout(state).replica(address)
    for (const path of [layout.bundle, layout.secrets, layout.ledger, layout.run])
      folder(path, root)
    const bus = join(state, 'bus.sock')
    writeFileSync(bus, '')
    const target = folder(join(base, 'target'), root)
    const egress = join(state, 'egress.sock')
    symlinkSync(target, egress)
    expect(() => giveReplica(layout, own, { bus, egress })).toThrow('is not a socket')
    expect(lstatSync(egress)).toMatchObject(root)
  })
})
