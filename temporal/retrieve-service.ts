// Serves the retriever to entry points, a few at once. Who asks is the last token of the subject, which the
// bus server maps per account; anybody else is refused. What is found is this person's own alone: that
// somebody may see another's runs (`sees`) opens no search over them.

import { retrieve, type Source } from '../activities/retrieve.ts'
import { type CountedCache, totalOf } from '../activities/retrieve-cache.ts'
import { type RetrieveReply, retrieveCall } from '../activities/retrieve-contract.ts'
import type { Bus } from '../security/bus.ts'
import { userOf } from './artifact-service.ts'

export interface RetrieveServiceDeps {
  readonly sources: readonly Source[]
  readonly caches: readonly Pick<CountedCache<unknown>, 'counts'>[]
  /** Told after each retrieval: what is counted is shown elsewhere. */
  readonly onCounted?: (counts: ReturnType<typeof totalOf>) => void
}

/** Each reads hundreds of files and asks Temporal as often; what steps need comes first. */
const atOnce = 4

export function serveRetriever(bus: Pick<Bus, 'serve'>, deps: RetrieveServiceDeps): void {
  const answer = createRetriever(deps)
  bus.serve('worker.retrieve.*', ({ subject, payload }) => answer(userOf(subject), payload), {
    type: 'RETRIEVAL_RESPONSE',
    onMalformed: () => refuse('MALFORMED'),
  })
}

export function createRetriever(
  deps: RetrieveServiceDeps,
): (user: string | undefined, payload: unknown) => Promise<RetrieveReply> {
  let atWork = 0
  return async (user, payload) => {
    if (user === undefined) return refuse('NOT_PERMITTED')
    const call = retrieveCall.safeParse(payload)
    if (!call.success) return refuse('MALFORMED')
    if (atWork >= atOnce) return refuse('BUSY')
    atWork += 1
    try {
      const { query, limit, memory, sources: names } = call.data
      const sources = names.flatMap((name) => deps.sources.find((one) => one.name === name) ?? [])
      const asked = { user, query, limit, memoryRun: memory?.requestId }
      const retrieved = await retrieve(asked, sources)
      const cache = totalOf(deps.caches)
      deps.onCounted?.(cache)
      return {
        ...{ status: 'FOUND', cache },
        findings: [...retrieved.findings],
        sources: [...retrieved.sources],
      }
    } finally {
      atWork -= 1
    }
  }
}

function refuse(code: Extract<RetrieveReply, { status: 'REFUSED' }>['code']): RetrieveReply {
  return { status: 'REFUSED', code }
}
