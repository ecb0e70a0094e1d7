// Takes back what a run did, newest first, one after the other and every one of them: an undo that
// fails is reported, never swallowed. What a chunk of a loop did is taken back by a chunk.

import { gravity } from './consequence.ts'
import type { StepInput, StepOutcome, StepResult } from './contract.ts'
import { mergeTallies, note, type Progress, tallyOf } from './progress.ts'
import type { LoopPorts } from './run-loop.ts'
import type { Undo } from './undo-register.ts'

export interface CompensationPorts extends Pick<LoopPorts, 'chunk'> {
  dispatch(step: Undo['step'], input: StepInput): Promise<StepResult>
}

interface Told {
  readonly outcome: StepOutcome
  readonly code?: string
}

/** `undos` in the order in which they are to run. Out of reach of any cancellation. */
export async function compensate(
  undos: readonly Undo[],
  progress: Progress,
  ports: CompensationPorts,
): Promise<void> {
  const worst = new Map<string, StepOutcome>()
  for (const [index, undo] of undos.entries()) {
    const { id } = undo.step
    note(progress, id, { undo: 'running' })
    const told =
      undo.iterations === undefined
        ? [await ports.dispatch(undo.step, undo.input)]
        : await undoChunk(undo, { progress, ports, name: `${id}~undo${index}` })
    for (const { outcome, code } of told) {
      const before = worst.get(id)
      const isWorst = before === undefined || gravity[outcome] > gravity[before]
      const undone = isWorst ? outcome : before
      worst.set(id, undone)
      const undoCode = undone === outcome && code !== undefined ? { undoCode: code } : {}
      note(progress, id, { undo: undone, ...undoCode })
    }
  }
}

/** Each outcome that occurred, with the code of the first that had it. */
async function undoChunk(
  { step, input, iterations = [] }: Undo,
  given: { readonly progress: Progress; readonly ports: CompensationPorts; readonly name: string },
): Promise<readonly Told[]> {
  const { progress, ports, name } = given
  const { outcomes, failed } = await ports.chunk(name, { step, input, iterations, slots: 1 }).result
  const { loop } = progress.get(step.id) ?? {}
  if (loop !== undefined) {
    const undos = mergeTallies(loop.undos, tallyOf(outcomes, failed))
    note(progress, step.id, { loop: { ...loop, undos } })
  }
  return [...new Set(outcomes)].map((outcome) => {
    const code = failed.find((one) => one.outcome === outcome)?.code
    return { outcome, ...(code === undefined ? {} : { code }) }
  })
}
