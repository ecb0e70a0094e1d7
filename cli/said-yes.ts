// That a person said yes to a plan, remembered in their own folder until its run is begun: so that a
// command that was cut off goes on without asking again. Temporal's `accepted` alone would not do, because
// whoever reaches Temporal can write it, and a worker that was taken over can put another plan in the
// place of the one that was shown. The yes is to the bytes of the plan, and to nothing else.

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { requestIdPattern } from '../plan/schema.ts'
import { digestOf } from '../security/verify/hash.ts'
import type { TurnDocument } from '../temporal/turn-document.ts'
import { keepFile } from './kept-file.ts'

type Plan = Extract<TurnDocument, { is: 'plan' }>

/** Durable once it returns: before the assistant is told. @throws Error of the system */
export function rememberYes(state: string, turnId: string, plan: Plan): void {
  keepFile(fileOf(state, turnId), digestOf(plan))
}

/** Whether this person said yes, here, to this very plan. */
export function hasSaidYes(state: string, turnId: string, plan: Plan): boolean {
  try {
    return readFileSync(fileOf(state, turnId), 'utf8') === digestOf(plan)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/** Its run has been begun, or will never be. */
export function forgetYes(state: string, turnId: string): void {
  rmSync(fileOf(state, turnId), { force: true })
}

/** @throws Error where the id, which comes from Temporal, could be a path */
function fileOf(state: string, turnId: string): string {
  if (!requestIdPattern.test(turnId)) throw new Error('a turn without an id')
  return join(state, 'cli', 'said-yes', turnId)
}
