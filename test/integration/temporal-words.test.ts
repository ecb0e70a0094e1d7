// A run that is asked for in words on a real Temporal server, with a scripted planner: what workers that come
// and go and a person who changes their mind make of it.

import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProposeOutcome } from '../../workflows/propose-contract.ts'
import { scriptActivities, scriptedStep } from '../support/scripted-activities.ts'
import { askedBack, proposal, refusedFor, scriptWords } from '../support/scripted-words.ts'
import { historyOf } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

let bench: TemporalBench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.stop())

let drawn = 0
async function submit(): Promise<string> {
  drawn += 1
  const requestId = `words-${drawn}`
  await bench.client.submit({ requestId, requestRef: 'request-ref', text: true })
  return requestId
}
const activitiesOf = async (requestId: string) =>
  (await historyOf(bench, requestId)).flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
  )

/** A planner that is asked and does not answer until it is let. */
function thinking() {
  let asked: () => void = () => undefined
  let answer: (outcome: ProposeOutcome) => void = () => undefined
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const answered = new Promise<ProposeOutcome>((resolve) => {
    answer = resolve
  })
  const propose = () => {
    asked()
    // As the real activities do, it leaves what a worker cannot wait for to the next one.
    return Promise.race([answered, Context.current().cancelled])
  }
  return { propose, isAsked, answer: (outcome: ProposeOutcome) => answer(outcome) }
}

const work = () => scriptActivities([scriptedStep('work')])

describe('a run in words', () => {
  it('runs what is proposed, and tells Temporal no more than references', async () => {
    const proposed = [proposal('one'), proposal('two')]
    const scripted = scriptWords(work(), { proposed, compiled: [refusedFor('CYCLE'), 'plan'] })
    const stop = await bench.startWorker(scripted)
    const requestId = await submit()
    expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
    await stop()
    expect(await activitiesOf(requestId)).toEqual([
      ...['proposePlan', 'compileProposal', 'proposePlan', 'compileProposal'],
      ...['calendar.list', 'composeAnswer'],
    ])
    expect(scripted.planner[1]?.previous).toEqual({
      ...{ proposalRef: 'one', issues: [{ code: 'CYCLE', path: '/steps/0' }] },
    })
  })

  it('ends with what the planner asks', async () => {
    const stop = await bench.startWorker(
      scriptWords(work(), { proposed: [askedBack], compiled: [] }),
    )
    expect(await bench.client.result(await submit())).toEqual({
      ...{ status: 'failed', code: 'QUESTION', steps: [], answerRef: 'question-ref' },
    })
    await stop()
  })

  it('asks again where the worker that asked is gone, and loses nothing', async () => {
    const { propose, isAsked } = thinking()
    const first = scriptWords(work(), { proposed: [propose], compiled: [] })
    const stopFirst = await bench.startWorker(first)
    const requestId = await submit()
    await isAsked
    // It leaves while its planner thinks on: whatever that says comes too late.
    const stopped = stopFirst()
    const second = scriptWords(work(), { proposed: [proposal('one')], compiled: ['plan'] })
    const stopSecond = await bench.startWorker(second)
    expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
    expect([first.planner.length, second.planner.length]).toEqual([1, 1])
    await stopped
    await stopSecond()
  })

  it('is cancelled while the planner thinks, and begins nothing', async () => {
    const { propose, isAsked, answer } = thinking()
    const stop = await bench.startWorker(scriptWords(work(), { proposed: [propose], compiled: [] }))
    const requestId = await submit()
    await isAsked
    await bench.client.cancel(requestId)
    answer(proposal('one'))
    expect(await bench.client.result(requestId)).toMatchObject({ status: 'cancelled', steps: [] })
    await stop()
  })

  it('whose model was asked before a reset, and had not answered, goes on without it', async () => {
    const before = `words-${drawn + 1}:propose-1-0`
    const candidate = { model: 0, label: 'local/small', requestId: before }
    const proposed: readonly ProposeOutcome[] = [
      { status: 'CONSULT', candidates: [candidate] },
      { status: 'UNANSWERED' },
      proposal('one'),
    ]
    const scripted = scriptWords(work(), { proposed, compiled: ['plan'] })
    const stop = await bench.startWorker(scripted)
    // As a reset leaves it: the id is taken, and what became of it is in another history.
    await bench.client.submit({ requestId: before, requestRef: 'request-ref' })
    await bench.client.result(before)
    const requestId = await submit()
    expect(await bench.client.result(requestId)).toMatchObject({
      status: 'completed',
      consulted: [{ requestId: before, status: 'failed', code: 'NO_RESULT' }],
    })
    const answer = { requestId: before, rerun: 0 }
    expect(scripted.planner.slice(1).map(({ consulted }) => consulted)).toMatchObject([
      { answer, isUnsure: true },
      { failed: [{ label: 'local/small', code: 'NO_RESULT' }] },
    ])
    await stop()
  })
})
