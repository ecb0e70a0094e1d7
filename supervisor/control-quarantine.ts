// The control socket's calls on quarantine: a person shuts an agent out, or lets it in again. What is
// wrong with the call, or what the notary refuses, is an answer; nothing here is thrown at the socket.

import { z } from 'zod'
import { SupervisorError } from './codes.ts'
import type { Containment } from './containment.ts'
import type { Answer } from './control.ts'
import type { NotaryPort } from './notary-port.ts'
import type { PoolMember } from './pool.ts'
import type { Held, Imposed } from './quarantine.ts'
import type { ReplicaAddress } from './state.ts'

export interface QuarantineActions {
  /** Replicas of an agent, or the one named; empty when there is none. */
  readonly replicas: (agent: string, n: number | undefined) => readonly ReplicaAddress[]
  /** What had grown, by `<agent>.<n>`; recorded as the owner's. */
  readonly acceptReach: () => Promise<Readonly<Record<string, readonly string[]>>>
  readonly impose: (addresses: readonly ReplicaAddress[], reason: string) => Promise<Imposed>
  /** @throws SupervisorError */
  readonly restore: (
    addresses: readonly ReplicaAddress[],
    reason: string,
  ) => Promise<readonly Held[]>
}

export function createQuarantineActions(
  { quarantine, reach }: Pick<Containment, 'quarantine' | 'reach'>,
  context: {
    readonly members: () => readonly PoolMember[]
    readonly notary: () => NotaryPort | undefined
  },
): QuarantineActions {
  return {
    replicas: (agent, n) =>
      context
        .members()
        .map(({ replica }) => replica.address)
        .filter((address) => address.agent === agent && (n ?? address.n) === address.n),
    async acceptReach() {
      const accepted = Object.fromEntries(reach.accept())
      const notary = context.notary()
      for (const [name, lines] of Object.entries(accepted)) {
        const summary = { event: 'reach-accepted', by: 'user:owner', lines: lines.length }
        await notary?.event({ kind: 'security', subject: `agent:${name}`, summary })
      }
      if (notary !== undefined) await reach.tell(notary)
      return accepted
    },
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
  if (call === 'POST /reach/accept') {
    return { status: 200, body: { accepted: await actions.acceptReach() } }
  }
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
