// Consultations as a worker brings them to a notary whose house has two models, and what a model's agent
// makes of one. Tests propose, ask and answer whatever they like.

import { readTold } from '../../activities/read-told.ts'
import { manifest as model } from '../../agents/model/manifest.ts'
import {
  compileConsultation,
  consultationStep,
  type ProposalFault,
} from '../../plan/consultation.ts'
import { consultationId } from '../../plan/ids.ts'
import { createCatalogue } from '../../plan/manifest.ts'
import type { PlannerModel } from '../../plan/planner-models.ts'
import type { ToldTurn } from '../../plan/told.ts'
import { decide } from '../support/policy.ts'
import { askingHarness, onlyQuestion, say } from './approvals.ts'
import { catalogue } from './catalogue.ts'
import { execute, type Happened, type Harness } from './harness.ts'
import { propose, words } from './proposals.ts'

export const planner: readonly PlannerModel[] = ['first', 'second'].map((name) => ({
  ...{ provider: 'local', model: `${name}-of-the-house`, maxMicroUsd: 0, maxOutputTokens: 400 },
}))

export const houseCatalogue = createCatalogue([...catalogue.values(), model])

/** A house whose models may be asked, and whose person can decide. */
export async function openHouse(change: object = {}): Promise<Harness> {
  const house = await askingHarness({ catalogue: houseCatalogue, planner, ...change })
  await house.boot({ agent: 'model', bootEpoch: 'epoch-model' })
  return house
}

export const idOf = (round: 1 | 2, index = 0, of = 'r-1') =>
  consultationId({ of, round, model: index })

/** What the worker brings; the minute of the harness's clock unless told otherwise. */
export const consult = (house: Harness, requestId: string, more: object = {}) =>
  house.notary.admit('worker', { requestId, at: house.clock.now(), ...more })

/** The call for the one step of it, as it is compiled honestly, or with other arguments. */
export function askCall(
  house: Harness,
  requestId: string,
  asked: {
    readonly faults?: readonly ProposalFault[]
    readonly told?: readonly ToldTurn[]
    readonly args?: object
    readonly model?: PlannerModel
  } = {},
) {
  const compiled = compileConsultation(
    {
      ...{ words, at: house.clock.now(), zone: 'Europe/Vienna', faults: asked.faults ?? [] },
      told: asked.told ?? [],
      model: asked.model ?? (planner[0] as PlannerModel),
    },
    { catalogue: houseCatalogue, decide },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const { plan, digest } = compiled
  const args = { ...plan.steps[0]?.args, ...asked.args }
  const about = { requestId, planDigest: digest, step: consultationStep, iteration: 0 }
  return { ...about, sources: [], kind: 'do', op: 'run', args }
}

/** What the agent returns of a model that answered with this plan. */
export const answerWith = (proposal: string): Happened => ({
  status: 'DONE',
  value: {
    ...{ kind: 'plan', proposal, text: '', options: [], model: 'first-of-the-house' },
    usage: { inputTokens: 1, outputTokens: 1, costMicroUsd: 0 },
  },
})

/** The one question there is, which shows what was proposed, is answered with yes, and the plan begins. */
export async function accepted(house: Harness, proposal: string): Promise<void> {
  await propose(house, proposal)
  await say(house, await onlyQuestion(house))
  const admitted = await propose(house, proposal)
  if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))
}

/** The first model is asked in the first round, and this comes of it; returns the exact result. */
export async function answered(house: Harness, happened: Happened, of = 'r-1'): Promise<string> {
  const requestId = idOf(1, 0, of)
  const admitted = await consult(house, requestId)
  if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))
  const told = await readTold(of, { admit: (asked) => house.notary.admit('worker', asked) })
  const call = askCall(house, requestId, { told })
  const authorised = await house.notary.authorize('worker', call)
  if (authorised.status !== 'AUTHORISED') throw new Error(JSON.stringify(authorised))
  const { receipt, envelope, content } = await execute(authorised, happened, house.keys.receipt)
  const { args: _, sources: __, op: ___, ...address } = call
  const settled = { type: 'receipt', ...address, receipt, envelope, invalidResult: false }
  const reply = await house.notary.settle('worker', settled)
  if (reply.status !== 'SETTLED') throw new Error(JSON.stringify(reply))
  return content
}
