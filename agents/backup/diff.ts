// What changed between two backups, and whether it looks like somebody who encrypts or deletes. A
// suspicion is a hint for a person: a large clean-up looks the same.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { type manifest, maxListed, type Suspicion } from './manifest.ts'
import { inRepository } from './repositories.ts'
import { pickRecent, pickSnapshot } from './snapshots.ts'
import type { Change } from './tool.ts'

type Action = (typeof manifest)['actions']['diff']

/** Fewer changes than that are a day's work, whatever their share. */
const leastChanges = 20
const mostShare = 0.5
/** Of what was added, with one ending that what was there before did not have. */
const alikeShare = 0.8

export async function diff(
  { repository, a: from, b: to }: z.output<Action['input']>,
  context: ActionContext,
): Promise<z.infer<Action['output']>> {
  return inRepository(context, repository, async (tool) => {
    const snapshots = await tool.snapshots()
    const b = pickSnapshot(snapshots, to)
    const a =
      from === undefined
        ? pickRecent(snapshots.slice(0, snapshots.indexOf(b)), 0)
        : pickSnapshot(snapshots, from)
    const version = await tool.version()
    const before = await tool.files(a.id, [])
    const changes = await tool.changes(a.id, b.id)
    const of = (kind: Change['kind']) =>
      changes.filter((change) => change.kind === kind).map(({ path }) => path)
    const [added, removed, changed] = [of('added'), of('removed'), of('changed')]
    const first = (paths: readonly string[]) => paths.slice(0, maxListed)
    return {
      ...{ repository, program: tool.program, version },
      a: { id: a.id, takenAt: new Date(a.takenAt).toISOString() },
      b: { id: b.id, takenAt: new Date(b.takenAt).toISOString() },
      filesBefore: before.length,
      ...{ added: added.length, removed: removed.length, changed: changed.length },
      examples: { added: first(added), removed: first(removed), changed: first(changed) },
      suspicious: [...suspect({ before: before.map(({ path }) => path), added, removed, changed })],
    }
  })
}

/** Paths of files. Pure. */
export function suspect({
  before,
  added,
  removed,
  changed,
}: Readonly<
  Record<'before' | 'added' | 'removed' | 'changed', readonly string[]>
>): readonly Suspicion[] {
  const isMost = (count: number) => count >= leastChanges && count > before.length * mostShare
  const known = new Set(before.map(endingOf))
  const counts = new Map<string, number>()
  for (const ending of added.map(endingOf)) {
    if (ending !== '' && !known.has(ending)) counts.set(ending, (counts.get(ending) ?? 0) + 1)
  }
  const alike = Math.max(0, ...counts.values())
  const isRenamed = alike >= leastChanges && alike >= added.length * alikeShare
  return [
    ...(isMost(changed.length) ? (['MOST_CHANGED'] as const) : []),
    ...(isMost(removed.length) ? (['MOST_REMOVED'] as const) : []),
    ...(isRenamed && removed.length >= leastChanges ? (['RENAMED_ALIKE'] as const) : []),
  ]
}

/** What follows the last dot of a name; empty where there is none. */
function endingOf(path: string): string {
  return /[^/]\.([^./]{1,32})$/.exec(path)?.[1]?.toLowerCase() ?? ''
}
