// Installed programs where an agent in a test finds those of its sandbox.

import { createProgramRunner, type ProgramRunner } from '../../agents/run-program.ts'
import type { Installed } from './installed.ts'

/** @param programs under the names that the manifest gives them */
export function runnerOf(programs: Readonly<Record<string, Installed>>): ProgramRunner {
  return createProgramRunner(
    Object.entries(programs).map(([name, { command, args, env }]) => ({
      ...{ name, command: [command, ...args] },
      env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value ?? ''])),
    })),
  )
}
