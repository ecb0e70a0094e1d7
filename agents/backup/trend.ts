// How large the last backups were: all that each of them would give back.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { sparkline } from '../text-charts.ts'
import type { manifest } from './manifest.ts'
import { inRepository } from './repositories.ts'

type Action = (typeof manifest)['actions']['trend']

export async function trend(
  { repository, limit }: z.output<Action['input']>,
  context: ActionContext,
): Promise<z.infer<Action['output']>> {
  return inRepository(context, repository, async (tool) => {
    const snapshots = (await tool.snapshots()).slice(-limit)
    const version = await tool.version()
    const sizes = snapshots.length === 0 ? [] : await tool.sizes(snapshots)
    const points = snapshots.map(({ id, takenAt }, index) => ({
      ...{ id, takenAt: new Date(takenAt).toISOString(), bytes: sizes[index] ?? 0 },
    }))
    return {
      ...{ repository, program: tool.program, version, points, sparkline: sparkline(sizes) },
      growthBytes: (sizes.at(-1) ?? 0) - (sizes[0] ?? 0),
    }
  })
}
