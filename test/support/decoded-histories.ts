// Every history of a deployment's Temporal as text, payloads decrypted: what a thief with the payload
// key would read. Failures, heartbeats, headers and search attributes included.

import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import type { Payload } from '@temporalio/common'
import { createPayloadCodec } from '../../temporal/codec.ts'
import { openKeyFile } from '../../temporal/payload-keys.ts'
import type { TestDeployment } from './deployment.ts'

export interface DecodedHistories {
  readonly text: string
  readonly payloads: number
  readonly workflows: number
}

export async function readHistories({
  state,
  deployment,
}: Pick<TestDeployment, 'state' | 'deployment'>): Promise<DecodedHistories> {
  const { address, namespace } = deployment.temporal
  const codec = createPayloadCodec({
    keys: openKeyFile(join(state, 'worker', 'payload.key')),
    namespace,
  })
  const connection = await Connection.connect({ address })
  try {
    const dataConverter = { payloadCodecs: [codec] }
    const client = new Client({ connection, namespace, dataConverter })
    const found: string[] = []
    const payloads: Payload[] = []
    let workflows = 0
    for await (const { workflowId, runId } of client.workflow.list()) {
      workflows += 1
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
      collect(history, found, payloads)
    }
    for (const payload of payloads) {
      const [plain] = await codec.decode([payload]).catch(() => [payload])
      found.push(Buffer.from(plain?.data ?? []).toString('utf8'))
    }
    return { text: found.join('\n'), payloads: payloads.length, workflows }
  } finally {
    await connection.close()
  }
}

/** Texts as they are, and whatever looks like a payload. */
function collect(value: unknown, found: string[], payloads: Payload[]): void {
  if (typeof value === 'string') found.push(value)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return
  if ('data' in value && value.data instanceof Uint8Array) payloads.push(value as Payload)
  for (const part of Object.values(value)) collect(part, found, payloads)
}
