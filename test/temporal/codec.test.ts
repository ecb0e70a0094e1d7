// The payload codec: what reaches Temporal is sealed, and nothing else is accepted back.

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
