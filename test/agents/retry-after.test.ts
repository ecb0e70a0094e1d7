// When a server that was asked has too much to do, its word of when to ask again reaches whoever would ask:
// only of what certainly did not happen, bounded, and in no receipt.

import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { startExecution } from '../../agents/execution.ts'
import { longestRetryAfterMs, type RetryAdvice, replySchema } from '../../agents/protocol.ts'
import { manifest } from '../support/test-agent/manifest.ts'

const failing = (retry: RetryAdvice, retryAfterMs?: number) =>
  startExecution(
    () =>
      Promise.reject(
        new ActionFailure(
          'OVERLOADED',
          retry,
          'busy',
          undefined,
          retryAfterMs === undefined ? {} : { retryAfterMs },
        ),
      ),
    {
      declaration: manifest.actions.fetch,
      timeoutMs: 10_000,
      resultBytes: 1_000,
      onUnexpected: (error) => {
        throw error
      },
    },
  ).outcome

describe('when to ask again', () => {
  test('is told of a failure without effect', async () => {
    expect(await failing('absent', 17_000)).toEqual({
      status: 'FAILED',
      code: 'OVERLOADED',
      retry: 'absent',
      retryAfterMs: 17_000,
    })
    expect(await failing('absent')).not.toHaveProperty('retryAfterMs')
  })

  test.each(['final', 'ask'] as const)('is not told of one that is %s', async (retry) => {
    expect(await failing(retry, 17_000)).toEqual({ status: 'FAILED', code: 'OVERLOADED', retry })
  })

  test('is believed up to a bound', () => {
    const reply = (retryAfterMs: unknown) =>
      replySchema.safeParse({
        ...{ status: 'FAILED', code: 'OVERLOADED', retry: 'absent', retryAfterMs },
        ...{ receipt: 'a.b.c', envelope: 'a.b.c' },
      }).success
    expect([0, 17_000, longestRetryAfterMs].map(reply)).toEqual([true, true, true])
    expect([-1, 0.5, '1', longestRetryAfterMs + 1].map(reply)).toEqual([false, false, false, false])
  })
})
