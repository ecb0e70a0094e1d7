// The assistant workflow on a real Temporal server, with scripted activities: what the SDK and the server
// make of its updates, its runs and its going on as a new one, which the pure functions cannot tell.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Assistant, TurnReply } from '../../temporal/assistant-client.ts'
import {
  assistantWorkflowId,
  type BeginInput,
  emptyConversation,
} from '../../workflows/assistant-contract.ts'
import { updatesPerRun } from '../../workflows/conversation.ts'
import { createHeld, type Held } from '../support/held.ts'
import { scriptActivities, scriptedStep, workUntil } from '../support/scripted-activities.ts'
import { historyOf, withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

/** What the work of a run waits for, where a test holds it. */
let held: Held | undefined
const activities = scriptActivities([scriptedStep('work')], async () => {
  if (held !== undefined) await workUntil(held)
  return {}
})
let bench: TemporalBench
let worker: (() => Promise<void>) | undefined
/** Once: a worker that is stopped again throws. */
async function stopWorker(): Promise<void> {
  const stop = worker
  worker = undefined
  await stop?.()
}
beforeAll(async () => {
  bench = await startBench()
  worker = await bench.startWorker(activities)
})
afterAll(async () => {
  try {
    await stopWorker()
  } finally {
    await bench?.stop()
  }
})
/** Whatever has become of the test that held it. */
afterEach(() => {
  held?.release()
  held = undefined
})

const ref = (of: string) => Buffer.from(of).toString('hex').padEnd(64, '0').slice(0, 64)
const begin = (turnId: string): BeginInput => ({
  request: { requestId: turnId, requestRef: ref(`request ${turnId}`) },
  priority: 'HIGH',
  recipe: 'one-day',
})
async function agree(assistant: Assistant, turnId: string): Promise<readonly TurnReply[]> {
  const answerRef = ref(`plan ${turnId}`)
  return [
    await assistant.say({ turnId, saidRef: ref(`said ${turnId}`) }),
    await assistant.answer({ turnId, status: 'planned', answerRef }),
    await assistant.accept({ turnId }),
  ]
}
const statuses = (replies: readonly TurnReply[]) =>
  replies.map((reply) => (reply.status === 'TAKEN' ? reply.turn.status : reply.code))

describe('an assistant', () => {
  it('is empty before anything was said, begins with the first word, and is one for each person', async () => {
    const [annas, bens] = [bench.client.assistant('cli-anna'), bench.client.assistant('cli-ben')]
    expect(await annas.conversation()).toEqual(emptyConversation)
    expect(await annas.say({ turnId: 'a1', saidRef: ref('a') })).toMatchObject({ status: 'TAKEN' })
    const { turns } = await annas.conversation()
    expect(turns).toMatchObject([{ turnId: 'a1', session: 1, status: 'said', saidRef: ref('a') }])
    expect(turns[0]?.at).toBeGreaterThan(0)
    expect(await bens.conversation()).toEqual(emptyConversation)
  })

  it('starts the run of what was agreed to, once, as an entry point would have', async () => {
    const assistant = bench.client.assistant('cli-runs')
    expect(statuses(await agree(assistant, 'r1'))).toEqual(['said', 'planned', 'accepted'])
    expect(statuses([await assistant.begin(begin('r1'))])).toEqual(['begun'])
    expect(await bench.client.result('r1')).toMatchObject({ status: 'completed' })
    expect(await bench.client.describe('r1')).toMatchObject({ recipe: 'one-day', closed: true })
    const ran = activities.calls.length
    expect(statuses([await assistant.begin(begin('r1'))])).toEqual(['begun'])
    await bench.client.submit({ ...begin('r1').request, priority: 'HIGH', recipe: 'one-day' })
    expect(activities.calls).toHaveLength(ran)

    await agree(assistant, 'r2')
    await bench.client.submit({ ...begin('r2').request, priority: 'HIGH', recipe: 'one-day' })
    expect(statuses([await assistant.begin(begin('r2'))])).toEqual(['begun'])
    await bench.client.result('r2')
    expect(activities.calls).toHaveLength(ran + 1)

    const [assistants, submitted] = await withRawClient(bench, (client) =>
      Promise.all(['r1', 'r2'].map((id) => client.workflow.getHandle(id).describe())),
    )
    expect(assistants?.raw.workflowExecutionInfo?.parentExecution?.workflowId).toBe(
      assistantWorkflowId('cli-runs'),
    )
    expect(assistants?.priority).toMatchObject({ priorityKey: 2 })
    for (const of of ['priority', 'typedSearchAttributes', 'taskQueue'] as const) {
      expect(assistants?.[of]).toEqual(submitted?.[of])
    }
    const [first, second] = await Promise.all(['r1', 'r2'].map((id) => historyOf(bench, id)))
    const started = (events: typeof first) => {
      const begun = events?.[0]?.workflowExecutionStartedEventAttributes
      const summary = events?.[0]?.userMetadata?.summary?.data
      return {
        timeout: begun?.workflowExecutionTimeout,
        priority: begun?.priority,
        hasSummary: (summary?.length ?? 0) > 0,
      }
    }
    expect(started(first)).toEqual(started(second))
  })

  it('starts nothing without a yes, and says why', async () => {
    const assistant = bench.client.assistant('cli-no')
    expect(statuses([await assistant.begin(begin('n1'))])).toEqual(['UNKNOWN_TURN'])
    await assistant.say({ turnId: 'n1', saidRef: ref('n') })
    expect(statuses([await assistant.begin(begin('n1'))])).toEqual(['NOT_OPEN'])
    expect(statuses([await assistant.accept({ turnId: 'n1' })])).toEqual(['NOT_OPEN'])
    expect(statuses([await assistant.say({ turnId: 'n1', saidRef: ref('m') })])).toEqual([
      'OTHER_WORDS',
    ])
    expect(statuses([await assistant.accept({ turnId: '' })])).toEqual(['MALFORMED'])
    await expect(bench.client.describe('n1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('goes on as a new one within a week, so that an old key is not kept for it', async () => {
    await bench.client.assistant('cli-week').say({ turnId: 'w1', saidRef: ref('w') })
    const events = await historyOf(bench, assistantWorkflowId('cli-week'))
    const timers = events.flatMap(({ timerStartedEventAttributes: one }) => one ?? [])
    const days = timers.map(
      ({ startToFireTimeout }) => Number(startToFireTimeout?.seconds) / 86_400,
    )
    expect(days).toEqual([7])
  })

  it('is refused what is out of place also where both arrive at once', async () => {
    const assistant = bench.client.assistant('cli-both')
    await assistant.say({ turnId: 'b1', saidRef: ref('b') })
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((other) =>
        assistant.answer({ turnId: 'b1', status: 'planned', answerRef: ref(other) }),
      ),
    )
    expect(statuses(answers).toSorted()).toEqual(['NOT_OPEN', 'NOT_OPEN', 'planned'])
    await assistant.accept({ turnId: 'b1' })
    const begins = await Promise.all([1, 2, 3].map(() => assistant.begin(begin('b1'))))
    expect(statuses(begins)).toEqual(['begun', 'begun', 'begun'])
  })

  it('goes on as a new one and loses no turn, doubles none, and leaves its runs alone', async () => {
    const assistant = bench.client.assistant('cli-long')
    const workflowId = assistantWorkflowId('cli-long')
    await agree(assistant, 'open')
    held = createHeld()
    await assistant.begin(begin('open'))
    await agree(assistant, 'kept')
    const before = await runIdOf(workflowId)
    // Several at once, so that some are on their way when it goes on.
    let turns = 0
    while ((await runIdOf(workflowId)) === before) {
      if (turns >= 1_000) throw new Error('it does not go on as a new one')
      const ids = Array.from({ length: 5 }, () => `t${turns++}`)
      const replies = await Promise.all(
        ids.map((turnId) => assistant.say({ turnId, saidRef: ref(turnId) })),
      )
      for (const reply of replies) expect(reply.status).toBe('TAKEN')
      const { turns: now } = await assistant.conversation()
      const known = now.map(({ turnId }) => turnId)
      expect(new Set(known).size).toBe(known.length)
      expect(known).toEqual(expect.arrayContaining(ids))
    }
    expect(await bench.client.describe('open')).toMatchObject({ closed: false })
    held.release()
    expect(await bench.client.result('open')).toMatchObject({ status: 'completed' })
    const { turns: kept } = await assistant.conversation()
    expect(kept[0]).toMatchObject({ turnId: 'kept', status: 'accepted' })
    const again = kept.at(-1)
    expect(again).toBeDefined()
    if (again === undefined) return
    const { turnId, saidRef } = again
    expect(await assistant.say({ turnId, saidRef })).toEqual({ status: 'TAKEN', turn: again })
    expect((await assistant.conversation()).turns).toEqual(kept)
    expect(statuses([await assistant.begin(begin('kept'))])).toEqual(['begun'])
    expect(await bench.client.result('kept')).toMatchObject({ status: 'completed' })
  })

  it('goes on as a new one only when the run that it was starting is there', async () => {
    const assistant = bench.client.assistant('cli-last')
    const { length } = await agree(assistant, 'last')
    const first = await runIdOf(assistantWorkflowId('cli-last'))
    for (let count = length; count < updatesPerRun - 1; count += 1) {
      await assistant.say({ turnId: `f${count}`, saidRef: ref('f') })
    }
    expect(await runIdOf(assistantWorkflowId('cli-last'))).toBe(first)
    expect(statuses([await assistant.begin(begin('last'))])).toEqual(['begun'])
    await expect.poll(() => runIdOf(assistantWorkflowId('cli-last'))).not.toBe(first)
    expect((await assistant.conversation()).turns[0]).toMatchObject({ status: 'begun' })
    expect(await bench.client.result('last')).toMatchObject({ status: 'completed' })
  })

  it('outlives its worker and the server, and so does a run that it was starting', async () => {
    const assistant = bench.client.assistant('cli-kills')
    await agree(assistant, 'k1')
    await stopWorker()
    // Nobody takes it up, which is told as that; what was on its way is said again, and is one turn.
    const away = await Promise.allSettled([assistant.begin(begin('k1')), assistant.conversation()])
    for (const one of away) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'UNREACHABLE' } })
    }
    await bench.temporal.kill()
    await bench.temporal.restart()
    worker = await bench.startWorker(activities)
    await expect
      .poll(() => assistant.begin(begin('k1')).then(({ status }) => status, String), {
        timeout: 60_000,
      })
      .toBe('TAKEN')
    expect(await bench.client.result('k1')).toMatchObject({ status: 'completed' })
    expect((await assistant.conversation()).turns).toMatchObject([{ status: 'begun' }])
  })
})

async function runIdOf(workflowId: string): Promise<string> {
  return await withRawClient(bench, async (client) => {
    const { runId } = await client.workflow.getHandle(workflowId).describe()
    return runId
  })
}
