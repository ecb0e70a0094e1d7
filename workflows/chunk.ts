// The `chunk` workflow: a part of one loop, with a history of its own. Wires the interpreter of
// chunks to the SDK and holds no logic. Started by `request` alone; that somebody else starts one
// gains them nothing, because every iteration asks the notary.

import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow'
import { type ChunkInput, type ChunkResult, stopSignal } from './chunk-contract.ts'
import { stateQuery, type Tally } from './contract.ts'
import { createDispatch } from './dispatch.ts'
import { createRunLane } from './locally.ts'
import { tallyOf } from './progress.ts'
import { createChunkProgress, runChunk } from './run-chunk.ts'

const state = defineQuery<Tally>(stateQuery)
const stop = defineSignal(stopSignal)

export async function chunk(input: ChunkInput): Promise<ChunkResult> {
  const progress = createChunkProgress(input)
  setHandler(state, () => tallyOf(progress.outcomes, progress.failed))
  setHandler(stop, () => {
    progress.stopping = true
  })
  return await runChunk(input, progress, {
    dispatch: createDispatch(true, createRunLane()),
    until: (ready) => condition(ready),
    isCancellation,
    cancelled: () => CancellationScope.current().consideredCancelled,
    shielded: (work) => CancellationScope.nonCancellable(work),
  })
}
