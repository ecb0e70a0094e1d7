// What the steps of a request have come to, as one effect of it sees them: a step what they are now,
// its undo and its probe what the step itself was built on, because a producer may have run again.

import type { Catalogue } from '../plan/manifest.ts'
import type { CompiledStep } from '../plan/schema.ts'
import {
  isLoopPassed,
  isLoopSettled,
  isPassed,
  type Product,
  productOfLoop,
  productOfStep,
  resultsNamed,
} from './product.ts'
import type { EffectRecord, State } from './state.ts'

interface ProducerPorts {
  readonly state: State
  readonly catalogue: Catalogue
  readonly request: string
}

/** The product of a step, by its hash. Inside a job of the store. */
export type ProductOf = (step: CompiledStep) => Product

/** The step's present `do` effect; of a loop it is none of its iterations'. */
export function presentEffect(
  { state, request }: Pick<ProducerPorts, 'state' | 'request'>,
  step: string,
  iteration = 0,
): EffectRecord | undefined {
  const rerun = state.rerunOf(request, step, iteration)
  return state.effect({ request, kind: 'do', step, iteration, rerun })
}

/** Whether what depends on the step may go on. Takes no longer for a loop of many items. */
export function hasPassed(
  { state, request }: Pick<ProducerPorts, 'state' | 'request'>,
  step: CompiledStep,
): boolean {
  return step.forEach === undefined
    ? isPassed(step, presentEffect({ state, request }, step.id))
    : isLoopPassed(step, state.presentLoop(request, step.id))
}

/** Whether it begins a step that waits for any of its needs: a skip or a failure does not. */
export function hasSettled(
  { state, request }: Pick<ProducerPorts, 'state' | 'request'>,
  step: CompiledStep,
): boolean {
  return step.forEach === undefined
    ? presentEffect({ state, request }, step.id)?.outcome === 'settled'
    : isLoopSettled(step, state.presentLoop(request, step.id))
}

export function presentProducts({ state, catalogue, request }: ProducerPorts): ProductOf {
  return (step) =>
    step.forEach === undefined
      ? productOfStep(step, presentEffect({ state, request }, step.id), catalogue)
      : productOfLoop(step, state.presentLoop(request, step.id), { state, catalogue })
}

/** What `done` was given when it was first authorised, and what it came to itself. */
export function productsBehind(done: EffectRecord, ports: ProducerPorts): ProductOf {
  const { state, catalogue, request } = ports
  const hashes: Readonly<Record<string, string>> = JSON.parse(done.sources)
  return (step) => {
    if (step.id === done.step) return productOfStep(step, done, catalogue)
    const hash = Object.hasOwn(hashes, step.id) ? hashes[step.id] : undefined
    if (hash === undefined) return { is: 'none' }
    if (step.forEach !== undefined) return loopOnce(step, hash, ports)
    for (let rerun = state.rerunOf(request, step.id, 0); rerun >= 0; rerun -= 1) {
      const effect = state.effect({ request, kind: 'do', step: step.id, iteration: 0, rerun })
      if (effect?.result_hash === hash) return productOfStep(step, effect, catalogue)
    }
    return { is: 'open' }
  }
}

/** Which of its expansions the hash is of, the document tells. */
function loopOnce(step: CompiledStep, hash: string, ports: ProducerPorts): Product {
  const { state, request } = ports
  const once = state
    .expansionsOf(request, step.id)
    .map((loop) => resultsNamed(hash, { step, loop }, ports))
  const read = (content: string) => {
    for (const one of once) {
      const document = one.is === 'result' ? one.read(content) : undefined
      if (document !== undefined) return document
    }
    return undefined
  }
  return { is: 'result', hash, read }
}
