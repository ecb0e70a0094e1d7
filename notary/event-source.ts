// Whose an event is: the bound that it counts against and the run that its row belongs to. The gateway
// speaks for every agent that asks the network, so each of those has a bound of its own, and only the
// gateway may name a run: it has read a token that the notary signed. Decides; records nothing.

import { numbersOf } from '../plan/replicas.ts'
import type { NotaryContext } from './context.ts'
import type { EventCall } from './contract.ts'

/** The one account that may name a run. */
const gateway = 'gateway'

export interface Attribution {
  /** What is bounded: a second's rows and a minute's bytes. */
  readonly source: string
  /** Request id of the run; '' for none. */
  readonly correlation: string
  readonly step: string | undefined
}

/** A run that nobody registered, or one named by an account that may not, is refused. */
export type Attributed = Attribution | { readonly code: 'MALFORMED' | 'UNKNOWN_REQUEST' }

export function attributeEvent(
  { catalogue, store, slots = {} }: Pick<NotaryContext, 'catalogue' | 'store' | 'slots'>,
  { subject, correlation }: EventCall,
  account: string,
): Attributed {
  if (account !== gateway) {
    return correlation === undefined
      ? { source: account, correlation: '', step: undefined }
      : { code: 'MALFORMED' }
  }
  const [, agent = '', n] = /^egress:([a-z][a-z0-9-]{0,39})\.(\d{1,4})$/.exec(subject) ?? []
  // Replicas that no manifest has share one bound: else made-up names would be bounds without end.
  const manifest = catalogue.get(agent)
  const isKnown = manifest !== undefined && numbersOf(manifest, slots).includes(Number(n))
  const source = isKnown ? `${gateway}:${agent}.${Number(n)}` : gateway
  if (correlation === undefined) return { source, correlation: '', step: undefined }
  const { requestId, step } = correlation
  return store.state.request(requestId) === undefined
    ? { code: 'UNKNOWN_REQUEST' }
    : { source, correlation: requestId, step }
}
