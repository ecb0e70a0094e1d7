// What the worker asks of Temporal's server besides its tasks. A file of its own: entry points load what
// imports this, and must not load the worker's native code.

import { Client, Connection } from '@temporalio/client'
import { createDataConverter } from './data-converter.ts'
import type { SealingKeys } from './payload-keys.ts'

export interface ClientOptions {
  /** host:port */
  readonly address: string
  readonly namespace: string
  readonly payloadKeys: SealingKeys
}

/** The client ends when its connection is closed. */
export async function connectClient({ address, namespace, payloadKeys }: ClientOptions) {
  const connection = await Connection.connect({ address })
  const dataConverter = createDataConverter({ keys: payloadKeys, namespace })
  return { connection, client: new Client({ connection, namespace, dataConverter }) }
}
