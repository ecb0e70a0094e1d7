// Which of the configured models are asked for a plan, in which order, and why not the others: the router's
// choice (planner/router.ts), with the words that one consultation will have. What is left of a budget only
// the notary knows, which refuses the step then, and the next model is asked.

import { argumentsOf, type Consulted, toFaults } from '../plan/consultation.ts'
import { consultationId } from '../plan/ids.ts'
import type { Catalogue } from '../plan/manifest.ts'
import { providers } from '../plan/model-prices.ts'
import { modelAgent } from '../plan/offered-actions.ts'
import { labelOf, type PlannerModel } from '../plan/planner-models.ts'
import { questionBytesOf } from '../planner/question-bytes.ts'
import { type LeftOutReason, routeQuestion } from '../planner/router.ts'
import type { Candidate, ConsultedModel } from '../workflows/consult-contract.ts'
import type { ProposeInput } from '../workflows/propose-contract.ts'

export interface RouteDeps {
  readonly catalogue: Catalogue
  /** IANA name */
  readonly zone: string
  readonly now: () => number
}

export interface RoutedModels {
  /** In the order of the configuration. */
  readonly candidates: readonly Candidate[]
  readonly leftOut: readonly ConsultedModel[]
}

export function routeModels(
  { requestId, previous }: ProposeInput,
  {
    planner,
    words,
    told,
  }: Pick<Consulted, 'words' | 'told'> & { readonly planner: readonly PlannerModel[] },
  deps: RouteDeps,
): RoutedModels {
  const round = previous === undefined ? 1 : 2
  const [candidates, leftOut]: [Candidate[], ConsultedModel[]] = [[], []]
  for (const [model, one] of planner.entries()) {
    const about = {
      label: labelOf(one),
      requestId: consultationId({ of: requestId, round, model }),
    }
    const faults = toFaults(previous?.issues ?? [])
    const code = leftOutOf(one, { words, told, faults }, deps)
    if (code === undefined) candidates.push({ ...about, model })
    else leftOut.push({ ...about, status: 'left-out', code })
  }
  return { candidates, leftOut }
}

/** Undefined: it is asked. A provider that no table knows is the agent's to refuse. */
function leftOutOf(
  model: PlannerModel,
  asked: Pick<Consulted, 'words' | 'told' | 'faults'>,
  { catalogue, zone, now }: RouteDeps,
): LeftOutReason | undefined {
  const agent = catalogue.get(modelAgent)
  const provider = providers.find((one) => one === model.provider)
  if (agent === undefined || provider === undefined) return undefined
  const at = now()
  const args = argumentsOf({ ...asked, at, zone, model }, catalogue)
  const questionBytes = questionBytesOf({ capability: 'propose', args })
  const { leftOut } = routeQuestion(
    // Their own words to the assistant: for whom the person has set up to be asked. Of what was before, each
    // model is told only what it may know (plan/told.ts).
    { capability: 'propose', questionBytes, readers: 'PUBLIC' },
    {
      ...{ agent, now: at, left: undefined },
      candidates: [{ ...model, provider }],
    },
  )
  return leftOut[0]?.reason
}
