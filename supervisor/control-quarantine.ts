// The control socket's calls on quarantine: a person shuts an agent out, or lets it in again. What is
// wrong with the call, or what the notary refuses, is an answer; nothing here is thrown at the socket.

import { z } from 'zod'
import { SupervisorError } from './codes.ts'
import type { Answer } from './control.ts'
import type { PoolMember } from './pool.ts'
import type { Held, Imposed, Quarantine } from './quarantine.ts'
import type { ReplicaAddress } from './state.ts'

export interface QuarantineActions {
  /** Replicas of an agent, or the one named; empty when there is none. */
  readonly replicas: (agent: string, n: number | undefined) => readonly ReplicaAddress[]
  readonly impose: (addresses: readonly ReplicaAddress[], reason: string) => Promise<Imposed>
  /** @throws SupervisorError */
  readonly restore: (
    addresses: readonly ReplicaAddress[],
    reason: string,
  ) => Promise<readonly Held[]>
}

export function createQuarantineActions(
  quarantine: Quarantine,
  members: () => readonly PoolMember[],
): QuarantineActions {
  return {
    replicas: (agent, n) =>
      members()
        .map(({ replica }) => replica.address)
        .filter((address) => address.agent === agent && (n ?? address.n) === address.n),
    impose: quarantine.impose,
    restore: quarantine.restore,
  }
}

/** As the notary's contract has it: one printable line. */
const querySchema = z.object({
  replica: z.coerce.number().int().min(0).max(9_999).optional(),
  reason: z
    .string()
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,200}$/u)
    .default(''),
})

/** Undefined for calls that are not about quarantine. */
export async function answerQuarantine(
  call: string,
  parameters: URLSearchParams,
  actions: QuarantineActions,
): Promise<Answer | undefined> {
  const [, agent, action] =
    /^POST \/agents\/([a-z][a-z0-9-]*)\/(quarantine|restore)$/.exec(call) ?? []
  if (agent === undefined) return undefined
  const query = querySchema.safeParse(Object.fromEntries(parameters))
  if (!query.success) {
    return {
      status: 400,
      body: { error: 'a replica is a number, a reason one line of 200 characters' },
    }
  }
  const { replica, reason } = query.data
  const addresses = actions.replicas(agent, replica)
  if (addresses.length === 0) return { status: 404, body: { error: 'no such agent or replica' } }
  try {
    if (action === 'quarantine')
      return { status: 200, body: await actions.impose(addresses, reason) }
    return { status: 200, body: { restored: await actions.restore(addresses, reason) } }
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error
    const { code, message, next } = error
    return { status: 409, body: { error: message, code, ...(next === undefined ? {} : { next }) } }
  }
}
