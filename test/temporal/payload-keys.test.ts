// Several keys in one file: what is closed with which, what still opens, and what is no file of keys.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  keyIdOf,
  parseKeyRing,
  promoted,
  type RingKey,
  renderKeyRing,
  withNext,
} from '../../security/key-ring.ts'
import { createPayloadCodec } from '../../temporal/codec.ts'
import { openKeyFile } from '../../temporal/payload-keys.ts'

const first = Buffer.alloc(32, 1)
const second = Buffer.alloc(32, 2)
const bare = first.toString('base64url')

let folder: string
let file: string
const write = (text: string) => {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
const store = (ring: readonly RingKey[]) => write(renderKeyRing(ring))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-keys-'))
  file = join(folder, 'payload.key')
  write(bare)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a file of keys', () => {
  it('is a bare key until the first rotation', () => {
    expect(parseKeyRing(bare)).toEqual([
      { id: keyIdOf(first), key: first, state: 'current', since: 0 },
    ])
  })

  it('says the same after it was written', () => {
    const ring = promoted(withNext(parseKeyRing(bare), second, 1), 2)
    expect(parseKeyRing(renderKeyRing(ring))).toEqual(ring)
    expect(ring.map(({ state, since }) => [state, since])).toEqual([
      ['current', 2],
      ['retiring', 2],
    ])
  })

  it('has one next key at most: another takes its place', () => {
    const ring = withNext(withNext(parseKeyRing(bare), second, 1), Buffer.alloc(32, 3), 2)
    expect(ring.map(({ id }) => id)).toEqual([keyIdOf(first), keyIdOf(Buffer.alloc(32, 3))])
  })

  it('is not changed by promoting where nothing is next', () => {
    expect(promoted(parseKeyRing(bare), 9)).toEqual(parseKeyRing(bare))
  })

  it.each([
    ['nothing', ''],
    ['what is too short', bare.slice(1)],
    ['an unknown state', `${bare} former 1\n`],
    ['two current keys', `${bare}\n${second.toString('base64url')}\n`],
    ['no current key', `${bare} retiring 1\n`],
    ['one key twice', `${bare}\n${bare} retiring 1\n`],
    ['a word more', `${bare} current 1 2\n`],
  ])('is not %s', (_what, text) => {
    expect(() => parseKeyRing(text)).toThrow('file of keys')
    write(text)
    expect(() => openKeyFile(file)).toThrow(file)
  })
})

describe('payloads while keys are rotated', () => {
  const plain = defaultPayloadConverter.toPayload('x')
  const codecOf = () => createPayloadCodec({ keys: openKeyFile(file), namespace: 'bulkhead' })
  const sealedBy = async (codec: ReturnType<typeof codecOf>): Promise<Payload> =>
    (await codec.encode([plain]))[0] ?? {}
  const idOf = ({ metadata }: Payload) => Buffer.from(metadata?.['key-id'] ?? []).toString()

  it('open as soon as anybody closes with the next key, and not by it before', async () => {
    const [one, other] = [codecOf(), codecOf()]
    store(withNext(parseKeyRing(bare), second, 1))
    expect(idOf(await sealedBy(one))).toBe(keyIdOf(first))
    store(promoted(withNext(parseKeyRing(bare), second, 1), 2))
    const sealed = await sealedBy(one)
    expect(idOf(sealed)).toBe(keyIdOf(second))
    expect(await other.decode([sealed])).toHaveLength(1)
  })

  it('open with the key that was retired, which closes nothing more', async () => {
    const codec = codecOf()
    const old = await sealedBy(codec)
    store(promoted(withNext(parseKeyRing(bare), second, 1), 2))
    expect(idOf(await sealedBy(codec))).toBe(keyIdOf(second))
    expect(await codec.decode([old])).toHaveLength(1)
  })

  it('do not open any more when the retired key is deleted', async () => {
    const old = await sealedBy(codecOf())
    const ring = promoted(withNext(parseKeyRing(bare), second, 1), 2)
    store(ring.filter(({ state }) => state !== 'retiring'))
    await expect(codecOf().decode([old])).rejects.toMatchObject({ code: 'UNKNOWN_KEY' })
  })
})
