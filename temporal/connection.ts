// Connects to Temporal, waiting for a server that is still starting: the supervisor starts worker and
// server side by side after a crash of either.

import { setTimeout as delay } from 'node:timers/promises'
import { NativeConnection } from '@temporalio/worker'

const waitMs = 60_000
const pollMs = 250

/** @throws the last error when the server cannot be reached within a minute */
export async function connectTemporal(address: string): Promise<NativeConnection> {
  const until = Date.now() + waitMs
  for (;;) {
    try {
      // Ciphertext does not compress.
      return await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } })
    } catch (error) {
      if (Date.now() >= until) throw error
      await delay(pollMs)
    }
  }
}
