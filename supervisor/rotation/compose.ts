// Puts the rotations of all kinds together for one running deployment.

import { z } from 'zod'
import type { IdentitiesInput } from '../../security/pki/identities.ts'
import type { Successor } from '../../security/pki/successor.ts'
import type { BusServer } from '../bus-server.ts'
import type { NotaryPort } from '../notary-port.ts'
import type { Replica } from '../replica.ts'
import type { StateLayout } from '../state.ts'
import { createAuditRotation } from './audit.ts'
import type { KeyRotation, RotationKind } from './contract.ts'
import { createIdentityRotation } from './identities.ts'
import { createRotations, type Rotations } from './orchestrator.ts'
import { createPayloadRotation } from './payload.ts'
import { recordPhases } from './phases.ts'
import { createSigningRotation } from './signing.ts'

export interface ComposeInput {
  readonly layout: StateLayout
  readonly identities: Pick<IdentitiesInput, 'state' | 'replicas' | 'gateway' | 'users'>
  readonly bus: BusServer
  readonly notary: NotaryPort
  readonly replicas: () => readonly Pick<Replica, 'drain'>[]
  /** Has the notary read its keys again. */
  readonly hangUpNotary: () => void
  /** Of Temporal's HTTP interface. */
  readonly temporal: { readonly api: string; readonly namespace: string }
  /** What this start put in force before anything ran. */
  readonly finished: Successor | undefined
  readonly say: (line: string) => void
  /** Less than anybody may ask for: tests. */
  readonly leastOverlapMs?: number
}

export function composeRotations(input: ComposeInput): Rotations {
  const { layout, notary, hangUpNotary: hangUp } = input
  const rotationOf = (kind: RotationKind, overlapMs: number): KeyRotation => {
    const record = recordPhases(notary, kind)
    switch (kind) {
      case 'token':
        return createSigningRotation({
          ...{ layout, hangUp, record, overlapMs },
          replicas: input.identities.replicas,
        })
      case 'audit':
        return createAuditRotation({ layout, hangUp, record })
      case 'certificates':
      case 'nkeys':
        return createIdentityRotation(kind, { ...input, record, overlapMs, now: Date.now })
      case 'payload':
        return createPayloadRotation({
          state: layout.root,
          users: input.identities.users ?? [],
          record,
          now: Date.now,
          countRunsBefore: (time) => countRunsBefore(input.temporal, time),
        })
    }
  }
  const { say, leastOverlapMs } = input
  return createRotations({
    rotationOf,
    say,
    ...(leastOverlapMs === undefined ? {} : { leastOverlapMs }),
  })
}

const countSchema = z.looseObject({ count: z.string().regex(/^\d+$/).optional() })

/** Running ones and those whose history is still kept. @throws Error when Temporal does not say */
async function countRunsBefore(
  { api, namespace }: ComposeInput['temporal'],
  time: number,
): Promise<number> {
  const query = `StartTime < "${new Date(time).toISOString()}"`
  const url = `${api}/api/v1/namespaces/${namespace}/workflow-count?query=${encodeURIComponent(query)}`
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`Temporal does not count runs: ${response.status}`)
  // It leaves out what is zero.
  const { count = '0' } = countSchema.parse(await response.json())
  return Number(count)
}
