// The worker as a witness: it asks the notary for its signed head every few seconds and remembers it
// where the notary cannot write. Refuses a log that shrank or changed, and says so; it neither
// checks signatures nor stops work, because that is for whoever verifies. The notary needs none of
// this, and a witness that fails costs only its memory.

import { join } from 'node:path'
import { headReply } from '../notary/contract.ts'
import type { Checkpoint } from '../security/audit/checkpoint.ts'
import { type WitnessVerdict, witnessHead } from '../security/audit/witness.ts'
import { type Bus, BusError } from '../security/bus.ts'

export interface WitnessPorts {
  /** Undefined when the notary does not answer now. */
  readonly head: () => Promise<Checkpoint | undefined>
  readonly witness: (head: Checkpoint) => WitnessVerdict | Promise<WitnessVerdict>
  /** Another witness, told of each head that this one does not refuse. */
  readonly further: (head: Checkpoint) => Promise<void>
  /** Told of a refusal, once for each that follows an accepted head. */
  readonly onRefused: (verdict: WitnessVerdict, size: number) => void
}

/** How long a tail may exist that no witness knows of. */
const everyMs = 5_000
const timeoutMs = 5_000

/** The worker's memory; the command reads it when it verifies. */
export function witnessFile(workerFolder: string): string {
  return join(workerFolder, 'witness.jsonl')
}

export function fileWitness(workerFolder: string): WitnessPorts['witness'] {
  const file = witnessFile(workerFolder)
  return (head) => witnessHead(file, head)
}

/** One look. Returns what came of it. @throws what `witness` and `further` throw */
export async function lookOnce(
  { head, witness, further, onRefused }: WitnessPorts,
  before?: WitnessVerdict,
): Promise<WitnessVerdict | undefined> {
  const current = await head()
  if (current === undefined) return before
  const verdict = await witness(current)
  const refused = verdict === 'SMALLER' || verdict === 'OTHER_ROOT'
  if (refused && verdict !== before) onRefused(verdict, current.size)
  if (!refused) await further(current)
  return verdict
}

/** Looks until stopped. `onFailure` hears what cannot be written. */
export function startWitness(
  ports: WitnessPorts & { readonly onFailure: (cause: unknown) => void },
): { stop(): void } {
  let verdict: WitnessVerdict | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    try {
      verdict = await lookOnce(ports, verdict)
    } catch (cause) {
      ports.onFailure(cause)
    }
    if (!stopped) timer = setTimeout(() => void look(), everyMs)
  }
  void look()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

export function headOverBus(bus: Bus): WitnessPorts['head'] {
  const head = { receiver: 'notary', type: 'RETRIEVAL_REQUEST', correlationId: '' } as const
  return async () => {
    try {
      const reply = await bus.call('notary.head', head, {}, { reply: headReply, timeoutMs })
      return reply.status === 'HEAD' ? reply.checkpoint : undefined
    } catch (error) {
      if (error instanceof BusError) return undefined
      throw error
    }
  }
}
