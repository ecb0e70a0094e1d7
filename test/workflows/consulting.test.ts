// Which models are asked for a plan, in which order, and what the planner's activity is told of it.

import { describe, expect, it } from 'vitest'
import type { ConsultedModel, ConsultInput } from '../../workflows/consult-contract.ts'
import { createConsulting } from '../../workflows/consulting.ts'
import type { RunResult } from '../../workflows/contract.ts'
import type { ProposeInput, ProposeOutcome } from '../../workflows/propose-contract.ts'

const asked: ProposeInput = { requestId: 'r-1', requestRef: 'words' }
const candidates = ['one', 'two'].map((label, model) => ({
  ...{ label, model, requestId: `r-1:propose-1-${model}` },
}))
const said: ProposeOutcome = { status: 'PROPOSED', proposalRef: 'a-plan' }
const done: RunResult = { status: 'completed', steps: [], answerRef: null }
const failed = (code: string): RunResult => ({ ...done, status: 'failed', code })

interface Scripted {
  readonly leftOut?: readonly ConsultedModel[]
  /** The run of before came to nothing. */
  readonly unanswered?: boolean
}

function scripted(
  ends: readonly (RunResult | 'ran-before')[],
  { leftOut, unanswered = false }: Scripted = {},
) {
  const told: ProposeInput[] = []
  const runs: [string, ConsultInput][] = []
  const seen: (readonly ConsultedModel[])[] = []
  const left = [...ends]
  const propose = createConsulting({
    async proposePlan(input) {
      told.push(input)
      const { consulted } = input
      if (consulted !== undefined) {
        const isUnsure = 'answer' in consulted && consulted.isUnsure === true
        return isUnsure && unanswered ? { status: 'UNANSWERED' } : said
      }
      return { status: 'CONSULT', candidates, ...(leftOut === undefined ? {} : { leftOut }) }
    },
    async consult(requestId, input) {
      runs.push([requestId, input])
      return left.shift() ?? Promise.reject(new Error('asked too often'))
    },
    now: () => 1_000,
    onConsulted: (models) => void seen.push(models),
  })
  return { propose, told, runs, seen }
}

describe('models that are asked for a plan', () => {
  it('are not asked where the planner answers by itself', async () => {
    const propose = createConsulting({
      proposePlan: async () => said,
      consult: () => Promise.reject(new Error('a model was asked')),
      now: () => 0,
      onConsulted: () => undefined,
    })
    expect(await propose(asked)).toBe(said)
  })

  it('are asked in order until one answers, and the rest not at all', async () => {
    const { propose, told, runs } = scripted([done])
    expect(await propose(asked)).toBe(said)
    const first = { of: 'r-1', round: 1, model: 0, at: 1_000 }
    expect(runs).toEqual([['r-1:propose-1-0', first]])
    expect(told.at(-1)?.consulted).toEqual({ answer: { requestId: 'r-1:propose-1-0', rerun: 0 } })
  })

  it('are asked after one that failed, with why on the record', async () => {
    const { propose, told, seen } = scripted([failed('OVERLOADED'), done])
    await propose(asked)
    expect(told.at(-1)?.consulted).toEqual({ answer: { requestId: 'r-1:propose-1-1', rerun: 0 } })
    expect(seen.at(-1)).toEqual([
      { label: 'one', requestId: 'r-1:propose-1-0', status: 'failed', code: 'OVERLOADED' },
      { label: 'two', requestId: 'r-1:propose-1-1', status: 'answered' },
    ])
  })

  it('that all fail are told to the activity, which says so to the person', async () => {
    const { propose, told } = scripted([failed('POLICY'), { ...done, status: 'cancelled' }])
    await propose(asked)
    expect(told.at(-1)?.consulted).toMatchObject({
      failed: [
        { label: 'one', code: 'POLICY' },
        { label: 'two', code: 'CANCELLED' },
      ],
    })
  })

  it('are not asked where the router left them out, with why on the record', async () => {
    const leftOut = [
      { label: 'dear', requestId: 'r-1:propose-1-2', status: 'left-out', code: 'TOO_DEAR' },
    ] as const
    const { propose, runs, seen } = scripted([done], { leftOut })
    await propose(asked)
    expect(runs.map(([requestId]) => requestId)).toEqual(['r-1:propose-1-0'])
    expect(seen.at(-1)).toEqual([
      ...leftOut,
      { label: 'one', requestId: 'r-1:propose-1-0', status: 'answered' },
    ])
  })

  it.each(['APPROVAL_DENIED', 'APPROVAL_EXPIRED', 'REQUEST_CANCELLED'])(
    'are not asked after a person said no to one (%s)',
    async (code) => {
      const { propose, told } = scripted([failed(code)])
      await propose(asked)
      expect(told.at(-1)?.consulted).toMatchObject({ failed: [{ label: 'one', code }] })
    },
  )

  it('are told in the second round whose answer was wrong', async () => {
    const again: RunResult = {
      ...done,
      steps: [
        {
          ...{ id: 'propose', type: 'model.propose', effect: 'egress', outcome: 'settled' },
          ...{ attempts: 1, durationMs: 1, rerun: 2 },
        },
      ],
    }
    const { propose, runs } = scripted([again, done])
    await propose(asked)
    await propose({ ...asked, previous: { proposalRef: 'a-plan', issues: [] } })
    const after = { requestId: 'r-1:propose-1-0', rerun: 2 }
    expect(runs[1]?.[1]).toEqual({ of: 'r-1', round: 2, model: 0, at: 1_000, after })
  })

  it('of a run that was reset are not asked again: what there is is read', async () => {
    const { propose, told, seen } = scripted(['ran-before'])
    expect(await propose(asked)).toBe(said)
    const answer = { requestId: 'r-1:propose-1-0', rerun: 0 }
    expect(told.at(-1)?.consulted).toEqual({ answer, isUnsure: true })
    expect(seen.at(-1)).toEqual([
      { label: 'one', requestId: 'r-1:propose-1-0', status: 'answered' },
    ])
  })

  it('of a run that was reset are followed by the next where they had not answered', async () => {
    const { propose, told, runs, seen } = scripted(['ran-before', done], { unanswered: true })
    expect(await propose(asked)).toBe(said)
    expect(runs.map(([requestId]) => requestId)).toEqual(['r-1:propose-1-0', 'r-1:propose-1-1'])
    expect(told.at(-1)?.consulted).toEqual({ answer: { requestId: 'r-1:propose-1-1', rerun: 0 } })
    expect(seen.at(-1)).toEqual([
      { label: 'one', requestId: 'r-1:propose-1-0', status: 'failed', code: 'NO_RESULT' },
      { label: 'two', requestId: 'r-1:propose-1-1', status: 'answered' },
    ])
  })

  it('of a run that was reset are told to the person where none of them had answered', async () => {
    const { propose, told } = scripted(['ran-before', 'ran-before'], { unanswered: true })
    expect(await propose(asked)).toBe(said)
    expect(told.at(-1)?.consulted).toMatchObject({
      failed: [
        { label: 'one', code: 'NO_RESULT' },
        { label: 'two', code: 'NO_RESULT' },
      ],
    })
  })
})
