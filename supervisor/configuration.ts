// Reads `bulkhead.yaml`. Parsing is plan/configuration.ts's; this adds the file, and turns what is
// wrong with it into one error that names file and line.

import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { AgentManifest } from '../plan/manifest.ts'
import { SupervisorError } from './codes.ts'
import type { PortName } from './ports.ts'
import type { GrantedFolder } from './sandbox/contents.ts'

export interface Configuration {
  readonly ports: Readonly<Partial<Record<PortName, number>>>
  /** Absolute path of a folder of the person's, by `<agent>.<setting>`. */
  folder(key: string): string | undefined
}

/** @throws SupervisorError CONFIG_INVALID with file, line and hint */
export function loadConfiguration(file: string): Configuration {
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SupervisorError('CONFIG_INVALID', `${file} cannot be read`, {
      next: 'npm start for the sample home, or give your own file with --config',
      cause,
    })
  }
  const value = parse(source)
  return {
    ports: value.ports ?? {},
    folder: (key) => {
      const [agent = '', setting = ''] = key.split('.')
      const text = value.agents?.[agent]?.[setting]
      return text === undefined ? undefined : resolve(dirname(file), text)
    },
  }
}

/**
 * The person's folders that a manifest asks for.
 * @throws SupervisorError NOT_CONFIGURED when one is not named or is not a folder
 */
export function grantedFolders(
  manifest: AgentManifest,
  configuration: Configuration,
): readonly GrantedFolder[] {
  return manifest.mounts.map(({ from, at, mode }) => {
    const source = configuration.folder(from.config)
    if (source === undefined) {
      throw new SupervisorError('NOT_CONFIGURED', `${from.config} is not set`, {
        next: `name a folder as ${from.config} in bulkhead.yaml`,
      })
    }
    if (!statSync(source, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SupervisorError('NOT_CONFIGURED', `${from.config}: ${source} is not a folder`, {
        next: `mkdir -p ${source}`,
      })
    }
    return { source, at, mode }
  })
}
