// Rotations of a deployment that runs in a process of its own, held by a test: with an overlap of the
// test's choosing, which the command does not allow.

import { z } from 'zod'
import { createAuditRotation } from '../../supervisor/rotation/audit.ts'
import type { KeyRotation } from '../../supervisor/rotation/contract.ts'
import { createSigningRotation } from '../../supervisor/rotation/signing.ts'
import { type ReplicaAddress, stateLayout } from '../../supervisor/state.ts'
import type { TestDeployment } from './deployment.ts'

const statusSchema = z.object({
  processes: z.array(z.object({ name: z.string(), pid: z.number().nullable() })),
})

export async function rotationsOf(
  deployment: TestDeployment,
  {
    replicas,
    overlapMs,
  }: { readonly replicas: readonly ReplicaAddress[]; readonly overlapMs: number },
): Promise<{ readonly token: KeyRotation; readonly audit: KeyRotation }> {
  const { body } = await deployment.control('GET', '/status')
  const notary = statusSchema.parse(body).processes.find(({ name }) => name === 'notary')?.pid
  if (typeof notary !== 'number') throw new Error('no notary runs')
  const input = {
    layout: stateLayout(deployment.state),
    hangUp: () => {
      process.kill(notary, 'SIGHUP')
    },
    record: async () => undefined,
  }
  return {
    token: createSigningRotation({ ...input, replicas, overlapMs }),
    audit: createAuditRotation(input),
  }
}

/** Rotates the token key and stops within its overlap; `end` is its end. */
export async function rotateIntoOverlap(
  deployment: TestDeployment,
  replicas: readonly ReplicaAddress[],
): Promise<{ end(): Promise<void> }> {
  const long = await rotationsOf(deployment, { replicas, overlapMs: 3_600_000 })
  const stop = new AbortController()
  const ended = long.token
    .rotate((line) => {
      if (line.startsWith('tokens are signed')) stop.abort()
    }, stop.signal)
    .catch((error: unknown) => error)
  const error = await ended
  if (!stop.signal.aborted) throw error
  return {
    async end() {
      const short = await rotationsOf(deployment, { replicas, overlapMs: 0 })
      const { signal } = new AbortController()
      const rotated = await short.token.resume(() => undefined, signal)
      if (rotated === undefined) throw new Error('there was no overlap to end')
    },
  }
}
