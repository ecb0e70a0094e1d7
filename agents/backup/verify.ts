// A repository checked: its structure, and a part of its data. Which part follows from the day, so that
// nightly checks read everything once in so many days and nothing has to be remembered. Damage is a
// result, not a failure: it is what was asked for.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { type manifest, maxListed } from './manifest.ts'
import { inRepository } from './repositories.ts'

type Action = (typeof manifest)['actions']['verify']

const dayMs = 24 * 3_600_000
/** Of the files that one damaged file of the repository holds a part of. */
const maxHeld = 10

/** 1 to `of`, another one each day in UTC. Pure. */
export function partOfDay(now: number, of: number): number {
  return (Math.floor(now / dayMs) % of) + 1
}

export async function verify(
  { repository, mode, of }: z.output<Action['input']>,
  context: ActionContext,
): Promise<z.infer<Action['output']>> {
  const startedAt = performance.now()
  return inRepository(context, repository, async (tool) => {
    const part = mode === 'subset' ? { n: partOfDay(context.now(), of), of } : null
    const version = await tool.version()
    const found = await tool.check(part)
    const damaged = found.damaged.slice(0, maxListed).map(({ file, holds }) => ({
      ...{ file, holds: holds.slice(0, maxHeld), heldCount: holds.length },
    }))
    return {
      ...{ repository, program: tool.program, version, mode, part: found.part, ok: found.ok },
      ...{ damaged, damagedCount: found.damaged.length, messages: [...found.messages] },
      seconds: Math.round(performance.now() - startedAt) / 1_000,
    }
  })
}
