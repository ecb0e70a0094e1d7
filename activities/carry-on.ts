// Wave after wave of one local activity: the next one begins when every step of the last one has
// settled, and in time. Whatever else has come of a step, the run must see it first, because what a
// failure, a question or a command that may be out means is the run's to say. Reads only: what a
// crash repeats is answered from the records.

import { withRefs } from '../plan/refs.ts'
import type {
  AheadCall,
  AheadResult,
  Composed,
  WaveMember,
  WaveResult,
} from '../workflows/contract.ts'

export interface CarryOnPorts {
  /** Obligation: rejects only for a bug. */
  run(member: WaveMember): Promise<WaveResult>
  /** May reject: then the run has it composed as usual. */
  compose(answer: NonNullable<AheadCall['answer']>): Promise<Composed>
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves when no more than a moment is left: all that the activity found out must be told. */
  readonly over: Promise<void>
  /** The worker ends: nothing more may begin. */
  isLeaving(): boolean
}

export async function carryOn(call: AheadCall, ports: CarryOnPorts): Promise<AheadResult> {
  const until = ports.now() + call.beginWithinMs
  const left = ports.over.then(() => null)
  const mayBegin = () => ports.now() < until && !ports.isLeaving()
  const refs = new Map<string, string | null>()
  const waves: (readonly WaveResult[])[] = []
  for (const members of call.waves) {
    if (waves.length > 0 && !mayBegin()) return { waves }
    const came = await Promise.all(
      members.map(({ type, input }) => {
        const sources = withRefs(input.sources, refs)
        return Promise.race([ports.run({ type, input: { ...input, sources } }), left])
      }),
    )
    waves.push(came)
    for (const [place, { input }] of members.entries()) {
      const ref = settledRef(came[place])
      if (ref === undefined) return { waves }
      refs.set(input.step, ref)
    }
  }
  if (call.answer === undefined || !mayBegin()) return { waves }
  const { sources, ...of } = call.answer
  const composing = ports.compose({ ...of, sources: withRefs(sources, refs) }).catch(() => null)
  const answer = await Promise.race([composing, left])
  return answer === null ? { waves } : { waves, answer }
}

/** Where its result lies, of a step that has settled as the run asked for it. */
function settledRef(result: WaveResult | undefined): string | null | undefined {
  if (result === undefined || result === null || result === 'turned-away') return undefined
  const { outcome, rerun = 0, resultRef } = result
  const settled = outcome === 'settled' || outcome === 'already-settled'
  return settled && rerun === 0 ? resultRef : undefined
}
