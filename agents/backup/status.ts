// How old the newest backup of each repository is. One that cannot be asked is a row with its reason, not
// a failure of the others.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { ActionFailure } from '../define-agent.ts'
import { type manifest, maxListed, type StatusReason } from './manifest.ts'
import { findRepository, listRepositories, type Repository, withTool } from './repositories.ts'
import { type Snapshot, ToolError } from './tool.ts'

type Action = (typeof manifest)['actions']['status']
type Row = z.infer<Action['output']>['repositories'][number]

const hourMs = 3_600_000
/** A clock that is a little fast is no sign of anything. */
const forgivenMs = 10 * 60_000

export async function status(
  { repositories: names, maxAgeHours }: z.output<Action['input']>,
  context: ActionContext,
): Promise<z.infer<Action['output']>> {
  const asked =
    names === undefined
      ? listRepositories(context)
      : [...new Set(names)].map((name) => findRepository(context, name))
  const repositories: Row[] = []
  for (const repository of asked) {
    context.progress?.(repositories.length, asked.length)
    repositories.push(await rowOf(repository, maxAgeHours, context))
  }
  // Where there is no repository, nothing is backed up.
  return { ok: repositories.length > 0 && repositories.every(({ ok }) => ok), repositories }
}

async function rowOf(
  repository: Repository,
  maxAgeHours: number,
  context: ActionContext,
): Promise<Row> {
  try {
    const snapshots = await withTool(context, repository, (tool) => tool.snapshots())
    return describe(repository, snapshots, { now: context.now(), maxAgeHours })
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    return { ...nothing(repository), reason }
  }
}

function reasonOf(error: unknown): StatusReason | undefined {
  if (error instanceof ToolError) return error.fault
  if (!(error instanceof ActionFailure)) return undefined
  switch (error.code) {
    case 'UNAVAILABLE':
      return 'NO_PROGRAM'
    case 'INVALID_INPUT':
      return 'NO_PASSWORD'
    case 'LIMIT_EXCEEDED':
      return 'UNREADABLE'
    default:
      return undefined
  }
}

function nothing({ name, program }: Repository): Row {
  return {
    ...{ repository: name, program, ok: false, reason: 'EMPTY', snapshots: 0 },
    ...{ lastSnapshot: null, ageHours: null, host: null, paths: [] },
  }
}

/** Pure. @param now milliseconds since the epoch */
export function describe(
  repository: Repository,
  snapshots: readonly Snapshot[],
  { now, maxAgeHours }: { readonly now: number; readonly maxAgeHours: number },
): Row {
  const last = snapshots.at(-1)
  if (last === undefined) return nothing(repository)
  const ageMs = now - last.takenAt
  const isOld = ageMs > maxAgeHours * hourMs
  const reason = ageMs < -forgivenMs ? 'IN_THE_FUTURE' : isOld ? 'TOO_OLD' : 'OK'
  return {
    repository: repository.name,
    program: repository.program,
    ok: reason === 'OK',
    reason,
    snapshots: snapshots.length,
    lastSnapshot: new Date(last.takenAt).toISOString(),
    ageHours: Math.round((ageMs / hourMs) * 10) / 10,
    host: last.host,
    paths: last.paths.slice(0, maxListed),
  }
}
