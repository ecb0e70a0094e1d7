// `notary.query`: reading by a person's entry point. A person sees what they asked themselves, and what
// those asked whom the household lets them see; the rest is answered as if it did not exist. All rows
// of the audit are the owner's to read: they are redacted, and name everybody's runs. Checkpoints say
// nothing but how much there is. Pages are bounded so that a reply fits the bus. Reads only what is
// committed; nothing that decides ever comes through here.

import { groupByStep, recordedOutcome } from '../plan/recorded-outcome.ts'
import type { NotaryContext } from './context.ts'
import type { AuditRow, Checkpoint, QueryCall, QueryReply, RequestSummary } from './contract.ts'
import type { RequestRecord } from './state.ts'
import { mayDecideFor, mayReadAllRows, maySee, seenBy, userOf } from './users.ts'

/** Bytes of one page: below max_payload with room for escaping and the envelope. */
const pageBytes = 1280 * 1024

/** @throws StoreError when a stored plan is damaged */
export async function query(
  context: NotaryContext,
  call: QueryCall,
  account: string,
): Promise<QueryReply> {
  const { store, users } = context
  const user = userOf(account, users)
  const requestOf = (id: string) => {
    const request = store.state.request(id)
    return request !== undefined && maySee(user, request.user, users) ? request : undefined
  }
  switch (call.what) {
    case 'requests': {
      const seen = store.state.latestRequests(call.limit, seenBy(user, users))
      const requests = mapped(seen, (request) => summarise(context, request))
      return { status: 'REQUESTS', requests: page(requests) }
    }
    case 'request': {
      const request = requestOf(call.requestId)
      if (request === undefined) return unknown
      const asked = user !== undefined && mayDecideFor(user, request.user, users)
      const approvals = asked ? openApprovals(context, request) : []
      const told = approvals.length === 0 ? {} : { approvals: [...approvals] }
      return { status: 'REQUESTS', requests: [{ ...summarise(context, request), ...told }] }
    }
    case 'rows': {
      const { from, limit, requestId: correlation, kind } = call
      if (!mayReadAllRows(user)) {
        if (correlation === undefined) return ownersOnly
        if (requestOf(correlation) === undefined) return unknown
      }
      const rows = page<AuditRow>(store.rows({ from, limit, correlation, kind }))
      return { status: 'ROWS', rows, size: store.size() }
    }
    case 'checkpoints': {
      const checkpoints = page<Checkpoint>(store.checkpoints(call.from, call.limit))
      return { status: 'CHECKPOINTS', checkpoints }
    }
    case 'budget': {
      // Of whoever asks, and of nobody else: what a person spends is not for the household.
      if (user === undefined) return unknownPerson
      return { status: 'BUDGET', spent: [...store.state.spentBy(user, context.clock.now())] }
    }
  }
}

const ownersOnly = {
  status: 'REFUSED',
  code: 'NOT_PERMITTED',
  message: "rows of all requests are the owner's to read: name a request",
} as const
const unknownPerson = {
  status: 'REFUSED',
  code: 'NOT_PERMITTED',
  message: 'nobody of the household asks this',
} as const
const unknown = { status: 'REFUSED', code: 'UNKNOWN_REQUEST', message: 'no such request' } as const

function* mapped<A, B>(items: Iterable<A>, toItem: (item: A) => B): Iterable<B> {
  for (const item of items) yield toItem(item)
}

/** As many as fit; at least one, so that a reader who asks on always gets further. */
function page<T>(items: Iterable<T>): T[] {
  const taken: T[] = []
  let bytes = 0
  for (const item of items) {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes > pageBytes && taken.length > 0) break
    taken.push(item)
  }
  return taken
}

/** Of a run that was cancelled nothing is asked any more. */
function openApprovals(
  { store, clock }: NotaryContext,
  { id: request, cancelled_at: cancelledAt }: RequestRecord,
): NonNullable<RequestSummary['approvals']> {
  if (cancelledAt !== null) return []
  return store.state
    .openApprovals(request, clock.now())
    .map(({ id, step, expires_at: expiresAt }) => ({
      id,
      ...(step === null ? {} : { step }),
      expiresAt,
    }))
}

function summarise(context: NotaryContext, request: RequestRecord): RequestSummary {
  const { state } = context.store
  const effects = groupByStep(state.effectsOf(request.id).filter(({ kind }) => kind === 'do'))
  const { plan } = context.plans.planOf(request)
  return {
    requestId: request.id,
    kind: request.kind,
    name: request.name,
    user: request.user,
    createdAt: request.created_at,
    cancelled: request.cancelled_at !== null,
    steps: plan.steps.map(({ id, agent, action, effect, forEach, onError }) => {
      const loop = forEach === undefined ? undefined : state.presentLoop(request.id, id)
      const { loop: counted, ...told } = recordedOutcome(effects.get(id) ?? [], { loop, onError })
      const shown =
        counted === undefined ? {} : { loop: { ...counted, outcomes: { ...counted.outcomes } } }
      return { id, agent, action, effect, ...told, ...shown }
    }),
  }
}
