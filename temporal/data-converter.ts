// The one way in which anything of ours is written to Temporal. Worker, clients and replay must all
// use it, or they cannot read what the others wrote.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import { createPayloadCodec } from './codec.ts'
import type { SealingKeys } from './payload-keys.ts'

export const failureConverterPath = fileURLToPath(
  new URL('./failure-converter.ts', import.meta.url),
)

export function createDataConverter(options: {
  readonly keys: SealingKeys
  readonly namespace: string
}): DataConverter {
  return { failureConverterPath, payloadCodecs: [createPayloadCodec(options)] }
}

/** A key file holds 32 bytes as base64url text. @throws Error when it does not */
export function readKeyFile(path: string): Uint8Array {
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  if (key.length !== 32) throw new Error(`${path} does not hold a key of 32 bytes`)
  return key
}
