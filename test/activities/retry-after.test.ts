// What an agent says of when to ask again becomes the time of the next attempt, and nothing else does.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { AttemptFailure, toApplicationFailure } from '../../activities/failure.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { type Bench, createBench } from './dispatch-fixture.ts'

let bench: Bench
let busy: ActionFailure
beforeEach(async () => {
  bench = await createBench(async () => {
    throw busy
  })
})
afterEach(() => bench.close())

async function attempt(retryAfterMs?: number): Promise<AttemptFailure> {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  busy = new ActionFailure('OVERLOADED', 'absent', 'busy', undefined, options)
  const error: unknown = await bench.dispatch('read').catch((cause: unknown) => cause)
  if (!(error instanceof AttemptFailure)) throw error
  return error
}

test('the next attempt is when the agent says', async () => {
  const failure = await attempt(17_000)
  expect(failure).toMatchObject({ type: 'EFFECT_ABSENT', retryMs: 17_000 })
  expect(toApplicationFailure(failure)).toMatchObject({
    type: 'EFFECT_ABSENT',
    nextRetryDelay: 17_000,
    nonRetryable: false,
  })
})

test('without a word of it the next attempt is as ever', async () => {
  const failure = await attempt()
  expect(failure).toMatchObject({ type: 'EFFECT_ABSENT', retryMs: undefined })
  expect(toApplicationFailure(failure).nextRetryDelay).toBeUndefined()
})
