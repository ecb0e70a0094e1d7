// Encrypts every payload that reaches Temporal, so that the server's database, its Web UI and its
// logs hold no content. Strict: a payload that is not encrypted by us is refused, because whoever can
// write to the database could otherwise hand a workflow plain input of his own. Headers and search
// attributes never come through here, so nothing of content may be put into them.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import type { SealingKeys } from './payload-keys.ts'

export type CodecErrorCode = 'NOT_ENCRYPTED' | 'UNKNOWN_KEY' | 'NOT_GENUINE'

export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly code: CodecErrorCode
  constructor(code: CodecErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const encoding = 'binary/bulkhead-a256gcm'
const encodingBytes = Buffer.from(encoding)
const packedBytes = Buffer.from('deflate')
const ivBytes = 12
const tagBytes = 16
/**
 * Plans of a thousand steps and steps with hundreds of needs say the same names again and again; packed
 * they stay below the 256 KiB at which the server warns. A length tells nothing here that the number of
 * steps does not: no content comes through, so nobody can probe for any by what packs well.
 */
const packedFromBytes = 16 * 1024
/** Far above what any payload of ours unpacks to. */
const unpackedAtMostBytes = 16 * 1024 * 1024
const { Payload: PayloadMessage } = proto.temporal.api.common.v1

/**
 * Closes with the current key and opens with any that the file still holds: a history outlives the
 * key it was begun with. So a key that no longer closes anything still opens what its finder closes;
 * it is dead when it is deleted. What one namespace's payloads say cannot be replayed into another's. Not bound
 * to a workflow id: a schedule encodes its arguments before the run's id exists.
 */
export function createPayloadCodec(options: {
  readonly keys: SealingKeys
  readonly namespace: string
}): PayloadCodec {
  const { keys, namespace } = options
  const bind = (keyId: string, packed: boolean) =>
    Buffer.from(`${keyId}|${namespace}${packed ? '|deflate' : ''}`)

  const encode = (payload: Payload): Payload => {
    const { id, key } = keys.current()
    const iv = randomBytes(ivBytes)
    const whole = PayloadMessage.encode(payload).finish()
    const packed = whole.length >= packedFromBytes
    const plain = packed ? deflateRawSync(whole) : whole
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(bind(id, packed))
    const data = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    const metadata = { encoding: encodingBytes, 'key-id': Buffer.from(id) }
    return { metadata: packed ? { ...metadata, packed: packedBytes } : metadata, data }
  }

  const decode = (payload: Payload): Payload => {
    const read = (name: string) => Buffer.from(payload.metadata?.[name] ?? []).toString('utf8')
    if (read('encoding') !== encoding) {
      if (isServersOwn(payload, read('encoding'))) return payload
      throw new CodecError('NOT_ENCRYPTED', 'a payload is not encrypted')
    }
    const known = keys.find(read('key-id'))
    if (known === undefined) {
      throw new CodecError('UNKNOWN_KEY', 'a payload is encrypted with another key')
    }
    try {
      const data = Buffer.from(payload.data ?? [])
      const iv = data.subarray(0, ivBytes)
      const cipher = createDecipheriv('aes-256-gcm', known.key, iv, { authTagLength: tagBytes })
      const packed = read('packed') !== ''
      cipher.setAAD(bind(known.id, packed)).setAuthTag(data.subarray(-tagBytes))
      const sealed = [cipher.update(data.subarray(ivBytes, -tagBytes)), cipher.final()]
      const plain = Buffer.concat(sealed)
      const limit = { maxOutputLength: unpackedAtMostBytes }
      return PayloadMessage.decode(packed ? inflateRawSync(plain, limit) : plain)
    } catch (cause) {
      throw new CodecError('NOT_GENUINE', 'a payload cannot be opened', { cause })
    }
  }

  return {
    encode: async (payloads) => payloads.map(encode),
    decode: async (payloads) => payloads.map(decode),
  }
}

/**
 * The one payload that the server writes by itself: the details of an activity that was cancelled
 * between two attempts. Refusing it would keep such a run from ever going on. Compared whole, so that
 * nothing else can be said with it.
 */
function isServersOwn({ metadata, data }: Payload, written: string): boolean {
  const alone = written === 'json/plain' && Object.keys(metadata ?? {}).length === 1
  return alone && Buffer.from(data ?? []).toString('utf8') === '"ACTIVITY_ID_NOT_STARTED"'
}
