// As whom a process runs and what it starts without: a user id of its own, no group, no capability
// and no way to one; and the death signal that ends it with the supervisor. All of it by setpriv
// (util-linux), before the program's first instruction.

import type { Owner } from './ownership.ts'
import type { Surroundings } from './surroundings.ts'
import { viewCommand } from './view.ts'

export interface StartAs {
  readonly user: Owner
  readonly surroundings: Surroundings
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
}

/** The words that start a program as its user; the program and its arguments come last. */
export function toWords(plan: Command, as: StartAs | undefined): readonly [string, ...string[]] {
  const { user } = as ?? {}
  const program = [plan.command, ...plan.args]
  const bound = ['--pdeathsig', 'KILL', '--no-new-privs']
  if (user === undefined || as === undefined) return ['setpriv', ...bound, '--', ...program]
  const ids = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups']
  const none = ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all']
  const { view, scratch } = as.surroundings
  const [first = '', ...rest] = [
    // Also while the view is made; a change of the user takes the death signal away again.
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...viewCommand(view, { scratch, folder: plan.folder, volumes: 'leave' }),
    ...['setpriv', ...ids, ...none, ...bound, '--', ...program],
  ]
  return [first, ...rest]
}
