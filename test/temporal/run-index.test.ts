// When a run that somebody waits for is over, as the server's client tells it.

import { type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import { untilOver } from '../../temporal/run-index.ts'

const gone = new WorkflowNotFoundError('no such run', 'r-1', undefined)
const unreachable = new Error('the server does not answer')

function handle(result: Error | 'done', status: string | Error) {
  return {
    result: async () => (result === 'done' ? undefined : Promise.reject(result)),
    describe: async () => {
      if (status instanceof Error) throw status
      return { status: { name: status } } as unknown as WorkflowExecutionDescription
    },
  }
}

describe('a run', () => {
  it.each([
    ['that has ended', handle('done', unreachable)],
    ['that was ended from outside', handle(new Error('terminated'), 'TERMINATED')],
    ['that there is not, or no more', handle(gone, gone)],
  ])('%s is over', async (_, run) => {
    await expect(untilOver(run)).resolves.toBeUndefined()
  })

  it('of which nobody says that it is over is waited for no longer, and is not', async () => {
    await expect(untilOver(handle(unreachable, 'RUNNING'))).rejects.toBe(unreachable)
    await expect(untilOver(handle(new Error('cancelled'), unreachable))).rejects.toBe(unreachable)
  })
})
