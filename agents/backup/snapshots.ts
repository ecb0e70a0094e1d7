// Which backup is meant. Pure.

import { ActionFailure } from '../define-agent.ts'
import type { Snapshot } from './tool.ts'

/** The one of that id, or of which it is the beginning; absent: the newest. @throws ActionFailure */
export function pickSnapshot(snapshots: readonly Snapshot[], wanted: string | undefined): Snapshot {
  if (wanted === undefined) return pickRecent(snapshots, 0)
  const exact = snapshots.find(({ id }) => id === wanted)
  if (exact !== undefined) return exact
  // restic shows the first eight digits of an id.
  const begun = snapshots.filter(({ id }) => wanted.length >= 8 && id.startsWith(wanted))
  const [one, ...more] = begun
  if (one === undefined) throw new ActionFailure('NOT_FOUND', 'final', 'no such backup')
  if (more.length > 0) throw new ActionFailure('INVALID_INPUT', 'final', 'more than one backup')
  return one
}

/** Counted from the newest. @throws ActionFailure NOT_FOUND */
export function pickRecent(snapshots: readonly Snapshot[], back: number): Snapshot {
  const found = snapshots.at(-1 - back)
  if (found === undefined)
    throw new ActionFailure('NOT_FOUND', 'final', 'there are not so many backups')
  return found
}
