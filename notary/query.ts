// `notary.query`: reading by a person's entry point. Pages are bounded so that a reply fits the bus.
// Reads only what is committed; nothing that decides ever comes through here.

import type { NotaryContext } from './context.ts'
import type { AuditRow, Checkpoint, QueryCall, QueryReply, RequestSummary } from './contract.ts'
import type { EffectRecord, RequestRecord } from './state.ts'

/** Bytes of one page: below max_payload with room for escaping and the envelope. */
const pageBytes = 1280 * 1024

/** @throws StoreError when a stored plan is damaged */
export async function query(context: NotaryContext, call: QueryCall): Promise<QueryReply> {
  const { store } = context
  switch (call.what) {
    case 'requests': {
      const requests = mapped(store.state.latestRequests(call.limit), (request) =>
        summarise(context, request),
      )
      return { status: 'REQUESTS', requests: page(requests) }
    }
    case 'request': {
      const request = store.state.request(call.requestId)
      if (request === undefined) {
        return { status: 'REFUSED', code: 'UNKNOWN_REQUEST', message: 'no such request' }
      }
      return { status: 'REQUESTS', requests: [summarise(context, request)] }
    }
    case 'rows': {
      const { from, limit, requestId: correlation, kind } = call
      const rows = page<AuditRow>(store.rows({ from, limit, correlation, kind }))
      return { status: 'ROWS', rows, size: store.size() }
    }
    case 'checkpoints': {
      const checkpoints = page<Checkpoint>(store.checkpoints(call.from, call.limit))
      return { status: 'CHECKPOINTS', checkpoints }
    }
  }
}

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

function summarise(context: NotaryContext, request: RequestRecord): RequestSummary {
  const effects = new Map<string, EffectRecord>()
  for (const effect of context.store.state.effectsOf(request.id)) {
    const present = context.store.state.rerunOf(request.id, effect.step, effect.iteration)
    if (effect.kind === 'do' && effect.rerun === present) effects.set(effect.step, effect)
  }
  const { plan } = context.plans.planOf(request)
  return {
    requestId: request.id,
    kind: request.kind,
    name: request.name,
    user: request.user,
    createdAt: request.created_at,
    cancelled: request.cancelled_at !== null,
    steps: plan.steps.map(({ id, agent, action, effect: effectClass }) => {
      const effect = effects.get(id)
      return {
        id,
        agent,
        action,
        effect: effectClass,
        outcome: effect === undefined ? 'pending' : (effect.outcome ?? 'running'),
        ...(effect?.code === undefined || effect.code === null ? {} : { code: effect.code }),
        attempts: effect?.attempts ?? 0,
      }
    }),
  }
}
