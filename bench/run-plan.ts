// One run of a plan in a deployment that is up, asked for as the command asks for it.

import { randomUUID } from 'node:crypto'
import type { Session } from '../cli/session.ts'
import type { RunResult } from '../workflows/contract.ts'

/** From the request to the end of the run, everything between included. */
export async function runPlan(
  session: Session,
  source: string,
  lane: 'fast' | 'regular' = 'fast',
): Promise<RunResult & { readonly requestId: string }> {
  const requestId = `bench-${randomUUID()}`
  const asked = { kind: 'plan', name: 'bench', source, inputs: {} } as const
  const stored = await session.putRequest(requestId, JSON.stringify(asked))
  if (stored.status !== 'STORED') throw new Error(`not stored: ${stored.status}`)
  const registered = await session.request({ requestId, ...asked, priority: 'MEDIUM' })
  if (registered.status !== 'REGISTERED') throw new Error(`not registered: ${registered.code}`)
  await session.runs.submit({ requestId, requestRef: stored.ref, lane })
  const result = await session.runs.result(requestId)
  if (result.status !== 'completed') throw new Error(`not completed: ${JSON.stringify(result)}`)
  return { ...result, requestId }
}
