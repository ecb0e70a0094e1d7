// Which steps may be executed inside a workflow task: short ones that have no effect.

import { describe, expect, it } from 'vitest'
import { laneOf } from '../../plan/lane.ts'
import type { CompiledStep } from '../../plan/schema.ts'

const step: CompiledStep = {
  ...{ id: 'one', agent: 'notes', action: 'list', effect: 'read', args: {}, needs: [] },
  ...{ join: 'all', when: null, onError: 'abort', timeoutMs: 2_000, attempts: 3, undo: null },
}

describe('the lane of a step', () => {
  it('is the fast one for a short look', () => {
    expect(laneOf(step)).toBe('fast')
  })

  it('is the regular one for what may take longer', () => {
    expect(laneOf({ ...step, timeoutMs: 2_001 })).toBe('regular')
  })

  it.each(['write', 'egress', 'irreversible'] as const)(
    'is the regular one for what is %s, because a lost task would leave it behind',
    (effect) => {
      expect(laneOf({ ...step, effect })).toBe('regular')
    },
  )
})
