// What results of actions say, for comparing two of them.

import { isObject } from '../../plan/pointer.ts'

/** Of a result that shows them. @throws Error for one that does not */
export function shownIn(result: unknown): { readonly before: unknown; readonly after: unknown } {
  if (!isObject(result) || !('before' in result) || !('after' in result)) {
    throw new Error(`no before and after in ${JSON.stringify(result)}`)
  }
  return { before: withoutClocks(result['before']), after: withoutClocks(result['after']) }
}

/** Fields that tell when it was asked, or which version it is, and not what there is. */
const clocks = new Set([
  'syncedAt',
  'etag',
  'modified',
  'checked',
  'next',
  'remainingSeconds',
  'overdue',
])

export function withoutClocks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClocks)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([name]) => !clocks.has(name))
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutClocks(one)]))
}
