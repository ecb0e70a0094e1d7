// `state backups|restore`: copies of the audit database. The supervisor does it, because it alone can
// keep a platform from starting meanwhile.

import type { ExitCode } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { runSupervisor } from './platform.ts'

export function stateBackupsCommand(output: Output, state: string): Promise<ExitCode> {
  return runSupervisor(output, ['backups', '--state', state])
}

export function stateRestoreCommand(
  output: Output,
  state: string,
  copy: string,
): Promise<ExitCode> {
  // A name that begins with a dash is a name.
  return runSupervisor(output, ['restore', '--state', state, '--', copy])
}
