// From words to a model's proposal: the models that are set up are asked one after the other until one
// answers, each in a run of its own, so that a call that costs money is a step like any other. One function
// of injected ports with no Temporal import. Invariant: after one has answered no other is asked in that
// round, however often this run is replayed.

import type { Answer, Candidate, ConsultedModel, ConsultInput } from './consult-contract.ts'
import type { RunResult } from './contract.ts'
import type { ProposeActivities, ProposeInput, Said } from './propose-contract.ts'

/** A person said no to asking, or stopped it: the next model would only have them say so again. */
const isDecided = (code: string | undefined) =>
  ['APPROVAL_DENIED', 'APPROVAL_EXPIRED', 'REQUEST_CANCELLED'].includes(code ?? '')

type Failed = ConsultedModel & { readonly status: 'failed' }

export interface ConsultPorts {
  proposePlan: ProposeActivities['proposePlan']
  /**
   * Runs one consultation to its end. Rejects with the cancellation when the run is cancelled.
   * `ran-before`: this run was reset, and what became of the consultation is in no history of ours. None can
   * be begun in its place: the notary knows it by that id, with the minute at which it was asked.
   */
  consult(requestId: string, input: ConsultInput): Promise<RunResult | 'ran-before'>
  now(): number
  /** Told of every change: all that were asked so far. */
  onConsulted(consulted: readonly ConsultedModel[]): void
}

/** As the activity of that name, with the models asked in between where there are any. */
export function createConsulting({
  proposePlan,
  consult,
  now,
  onConsulted,
}: ConsultPorts): (input: ProposeInput) => Promise<Said> {
  const asked: ConsultedModel[] = []
  let last: Answer | undefined
  const tell = (one: ConsultedModel) => {
    const known = asked.findIndex(({ requestId }) => requestId === one.requestId)
    asked.splice(known === -1 ? asked.length : known, 1, one)
    onConsulted([...asked])
  }

  async function saidOf(input: ProposeInput): Promise<Said> {
    const said = await proposePlan(input)
    // It was told what came of asking.
    if (said.status === 'CONSULT' || said.status === 'UNANSWERED') {
      throw new Error('models were asked already')
    }
    return said
  }

  /** Undefined: the run of before came to no answer. */
  async function saidBefore(input: ProposeInput, answer: Answer): Promise<Said | undefined> {
    const said = await proposePlan({ ...input, consulted: { answer, isUnsure: true } })
    if (said.status === 'CONSULT') throw new Error('models were asked already')
    return said.status === 'UNANSWERED' ? undefined : said
  }

  /** What the model's answer comes to, or why there is none. */
  async function ask(
    { label, model, requestId }: Candidate,
    { input, at }: { readonly input: ProposeInput; readonly at: number },
  ): Promise<Said | Failed> {
    const round = input.previous === undefined ? 1 : 2
    const after = round === 1 || last === undefined ? {} : { after: last }
    const tellFailed = (code: string): Failed => {
      const one: Failed = { requestId, label, status: 'failed', code }
      tell(one)
      return one
    }
    tell({ requestId, label, status: 'running' })
    const ended = await consult(requestId, { of: input.requestId, round, model, at, ...after })
    if (ended === 'ran-before') {
      const answer = { requestId, rerun: 0 }
      const said = await saidBefore(input, answer)
      if (said === undefined) return tellFailed('NO_RESULT')
      tell({ requestId, label, status: 'answered' })
      last = answer
      return said
    }
    if (ended.status !== 'completed') return tellFailed(ended.code ?? ended.status.toUpperCase())
    tell({ requestId, label, status: 'answered' })
    last = { requestId, rerun: ended.steps[0]?.rerun ?? 0 }
    return saidOf({ ...input, consulted: { answer: last } })
  }

  return async (input) => {
    const told = await proposePlan(input)
    if (told.status === 'UNANSWERED') throw new Error('no model was asked yet')
    if (told.status !== 'CONSULT') return told
    // One time for all, so that each is told the same.
    const at = now()
    const failed: ConsultedModel[] = [...(told.leftOut ?? [])]
    for (const one of failed) tell(one)
    for (const candidate of told.candidates) {
      const outcome = await ask(candidate, { input, at })
      if (outcome.status !== 'failed') return outcome
      failed.push(outcome)
      if (isDecided(outcome.code)) break
    }
    return saidOf({ ...input, consulted: { failed } })
  }
}
