// What an entry point does with a request before it waits: stored, registered, started.

import type { Connection } from './connection.ts'

export interface AskedRequest {
  readonly requestId: string
  /** `text`: words that a planner makes a plan of. */
  readonly kind: 'text' | 'plan'
  readonly source: string
}

/** @throws Error with what refused it */
export function beginRequest(
  connection: Connection,
  { requestId, kind, source }: AskedRequest,
): Promise<void> {
  const asked = { kind, name: 'ask', source, inputs: {} }
  return connection.use(async (session) => {
    const stored = await session.putRequest(requestId, JSON.stringify(asked))
    if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
    const registered = await session.request({ requestId, ...asked, priority: 'MEDIUM' })
    if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
    const text = kind === 'text' ? ({ text: true } as const) : {}
    await session.runs.submit({ requestId, requestRef: stored.ref, ...text })
  })
}
