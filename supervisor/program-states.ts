// Where the programs are that an agent may run, for whoever asks: named in bulkhead.yaml or not, there or
// not. Whether one can be run in a sandbox is found out at the agent's start (sandbox/programs.ts).

import type { AgentManifest } from '../plan/manifest.ts'
import type { Settings } from './configuration.ts'
import { findProgram } from './sandbox/programs.ts'

export interface ProgramState {
  readonly name: string
  /** Setting that names it. */
  readonly setting: string
  readonly path: string | null
  /** `not set`: the agent starts without it. */
  readonly state: 'found' | 'missing' | 'not set'
}

export function programStates(
  { programs = [] }: Pick<AgentManifest, 'programs'>,
  settings: Pick<Settings, 'value'>,
): readonly ProgramState[] {
  return programs.map(({ name, from: { config: setting } }) => {
    const path = settings.value(setting)
    if (path === undefined) return { name, setting, path: null, state: 'not set' }
    return { name, setting, path, state: findProgram(path) === undefined ? 'missing' : 'found' }
  })
}
