// The anchor workflow from outside: the worker shows it signed heads, and whoever verifies the audit
// reads the largest from its memo. Believes nothing of it; the reader checks the signature.

import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { type Checkpoint, checkpointSchema } from '../security/audit/checkpoint.ts'
import {
  type AnchoredHead,
  anchorId,
  anchorWorkflowType,
  taskQueue,
  witnessSignal,
} from '../workflows/contract.ts'
import { type ClientOptions, connectClient } from './connect-client.ts'

export interface Anchor {
  /** Shows the head to the anchor, starting it if there is none. */
  show(head: Checkpoint): Promise<void>
  close(): Promise<void>
}

export async function connectAnchor(options: ClientOptions): Promise<Anchor> {
  const { connection, client } = await connectClient(options)
  return {
    async show({ size, root, at, jws }) {
      const head: AnchoredHead = { size, root, at, jws }
      await client.workflow.signalWithStart(anchorWorkflowType, {
        workflowId: anchorId,
        taskQueue,
        args: [{ head: null }],
        signal: witnessSignal,
        signalArgs: [head],
        staticSummary: 'the largest signed head of the audit',
      })
    },
    close: () => connection.close(),
  }
}

/** The largest head that the anchor was shown; undefined when there is none, or no anchor. */
export async function readAnchor(client: Client): Promise<Checkpoint | undefined> {
  try {
    const { memo } = await client.workflow.getHandle(anchorId).describe()
    return checkpointSchema.safeParse(memo?.['head']).data
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

/** How often the anchor is shown a head that has grown: each costs its history five events. */
const everyMs = 30_000

/** Shows a head when it is larger than the last and that was long enough ago. */
export function createAnchorPace(
  anchor: Pick<Anchor, 'show'>,
  now: () => number,
): (head: Checkpoint) => Promise<void> {
  let shown = 0
  let shownAt = Number.NEGATIVE_INFINITY
  return async (head) => {
    if (head.size <= shown || now() - shownAt < everyMs) return
    await anchor.show(head)
    shown = head.size
    shownAt = now()
  }
}
