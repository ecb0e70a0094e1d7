// The payload codec: what reaches Temporal is sealed, and nothing else is accepted back.

import { createDecipheriv } from 'node:crypto'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import { CodecError, createPayloadCodec } from '../../temporal/codec.ts'
import { failureConverter } from '../../temporal/failure-converter.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

const codec = createPayloadCodec({ keys: oneKey(Buffer.alloc(32, 1)), namespace: 'bulkhead' })
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)
const seal = async (value: unknown): Promise<Payload> =>
  (await codec.encode([plain(value)]))[0] ?? {}
const codeOf = async (payload: Payload, by = codec) => {
  try {
    await by.decode([payload])
    return 'accepted'
  } catch (error) {
    return error instanceof CodecError ? error.code : error
  }
}

/** Opens it by hand, with what is said to be bound to it besides the key's name. */
function openBy({ data, metadata }: Payload, bound: string): Buffer {
  const bytes = Buffer.from(data ?? [])
  const keyId = Buffer.from(metadata?.['key-id'] ?? []).toString()
  const decipher = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 1), bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(`${keyId}|${bound}`)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
}

describe('payload codec', () => {
  it('gives back what it sealed, and shows neither value nor type', async () => {
    const sealed = await seal({ title: 'Dentist' })
    expect(Buffer.from(sealed.data ?? []).toString('latin1')).not.toMatch(/Dentist|title|json/)
    expect(Buffer.from(sealed.metadata?.['encoding'] ?? []).toString()).not.toContain('json')
    const [opened] = await codec.decode([sealed])
    expect(defaultPayloadConverter.fromPayload(opened ?? {})).toEqual({ title: 'Dentist' })
  })

  it('seals the same value differently each time', async () => {
    expect(await seal('same')).not.toEqual(await seal('same'))
  })

  it('refuses a payload in clear', async () => {
    expect(await codeOf(plain({ requestRef: 'forged' }))).toBe('NOT_ENCRYPTED')
    expect(await codeOf({})).toBe('NOT_ENCRYPTED')
  })

  it("takes the server's own word for an activity cancelled between attempts, and nothing like it", async () => {
    const own = plain('ACTIVITY_ID_NOT_STARTED')
    expect(await codec.decode([own])).toEqual([own])
    expect(await codeOf(plain('ACTIVITY_ID_NOT_STARTED '))).toBe('NOT_ENCRYPTED')
    expect(await codeOf(plain(['ACTIVITY_ID_NOT_STARTED']))).toBe('NOT_ENCRYPTED')
    const more = { ...own, metadata: { ...own.metadata, more: Buffer.from('x') } }
    expect(await codeOf(more)).toBe('NOT_ENCRYPTED')
  })

  it('refuses a payload of another key, and of the same key in another namespace', async () => {
    const sealed = await seal('x')
    const otherKey = createPayloadCodec({
      keys: oneKey(Buffer.alloc(32, 2)),
      namespace: 'bulkhead',
    })
    expect(await codeOf(sealed, otherKey)).toBe('UNKNOWN_KEY')
    const otherNamespace = createPayloadCodec({
      keys: oneKey(Buffer.alloc(32, 1)),
      namespace: 'default',
    })
    expect(await codeOf(sealed, otherNamespace)).toBe('NOT_GENUINE')
  })

  it('refuses a payload with any byte changed or cut', async () => {
    const sealed = await seal('x')
    const data = Buffer.from(sealed.data ?? [])
    for (let at = 0; at < data.length; at += 1) {
      const changed = Buffer.from(data)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(await codeOf({ ...sealed, data: changed })).toBe('NOT_GENUINE')
    }
    expect(await codeOf({ ...sealed, data: data.subarray(0, 20) })).toBe('NOT_GENUINE')
  })

  it("packs what is large, says so, and takes nobody else's word for it", async () => {
    const large = Array.from({ length: 1_000 }, (_, index) => ({ id: `step-${index}`, needs: [] }))
    const sealed = await seal(large)
    expect(Buffer.from(sealed.data ?? []).length).toBeLessThan(JSON.stringify(large).length / 2)
    const [opened] = await codec.decode([sealed])
    expect(defaultPayloadConverter.fromPayload(opened ?? {})).toEqual(large)
    const { packed, ...metadata } = sealed.metadata ?? {}
    expect(packed).toBeDefined()
    // That it is packed is part of what is sealed: it opens with that word and not without.
    expect(() => openBy(sealed, 'bulkhead|deflate')).not.toThrow()
    expect(() => openBy(sealed, 'bulkhead')).toThrow()
    expect(await codeOf({ ...sealed, metadata })).toBe('NOT_GENUINE')
    const small = await seal('x')
    const claimed = { ...small.metadata, packed: Buffer.from('deflate') }
    expect(small.metadata).not.toHaveProperty('packed')
    expect(await codeOf({ ...small, metadata: claimed })).toBe('NOT_GENUINE')
  })

  it('refuses a key that is not 32 bytes', () => {
    expect(() => oneKey(Buffer.alloc(16))).toThrow('32 bytes')
  })
})

describe('failure converter', () => {
  it('leaves neither message nor stack of a failure in clear', () => {
    const failure = failureConverter.errorToFailure(
      new Error('Dentist on Harley Street'),
      defaultPayloadConverter,
    )
    expect(failure.message).not.toContain('Dentist')
    expect(failure.stackTrace ?? '').toBe('')
    expect(failure.encodedAttributes).toBeDefined()
  })
})
