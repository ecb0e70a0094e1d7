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

export interface ConsultPorts {
  proposePlan: ProposeActivities['proposePlan']
  /** Runs one consultation to its end. Rejects with the cancellation when the run is cancelled. */
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
    if (said.status === 'CONSULT') throw new Error('models were asked already')
    return said
  }

  async function ask({ label, model, requestId }: Candidate, input: ProposeInput, at: number) {
    const round = input.previous === undefined ? 1 : 2
    const after = round === 1 || last === undefined ? {} : { after: last }
    tell({ requestId, label, status: 'running' })
    const ended = await consult(requestId, { of: input.requestId, round, model, at, ...after })
    const isAnswered = ended === 'ran-before' || ended.status === 'completed'
    const code = isAnswered ? undefined : (ended.code ?? ended.status.toUpperCase())
    const status = isAnswered ? ('answered' as const) : ('failed' as const)
    const one = { requestId, label, status, ...(code === undefined ? {} : { code }) }
    tell(one)
    return { one, rerun: ended === 'ran-before' ? 0 : (ended.steps[0]?.rerun ?? 0) }
  }

  return async (input) => {
    const told = await proposePlan(input)
    if (told.status !== 'CONSULT') return told
    // One time for all, so that each is told the same.
    const at = now()
    const failed: ConsultedModel[] = [...(told.leftOut ?? [])]
    for (const one of failed) tell(one)
    for (const candidate of told.candidates) {
      const { one, rerun } = await ask(candidate, input, at)
      if (one.status === 'answered') {
        last = { requestId: one.requestId, rerun }
        return saidOf({ ...input, consulted: { answer: last } })
      }
      failed.push(one)
      if (isDecided(one.code)) break
    }
    return saidOf({ ...input, consulted: { failed } })
  }
}
