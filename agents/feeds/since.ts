// From when on items are wanted. The manifest's pattern lets days through that no month has.

import { ActionFailure } from '../define-agent.ts'

/**
 * @param text RFC 3339, or undefined for `otherwise`
 * @returns milliseconds since the epoch
 * @throws ActionFailure INVALID_INPUT for a time that does not exist
 */
export function sinceOf(text: string | undefined, otherwise: number): number {
  const since = text === undefined ? otherwise : Date.parse(text)
  if (Number.isNaN(since)) throw new ActionFailure('INVALID_INPUT', 'final', 'no such time')
  return since
}
