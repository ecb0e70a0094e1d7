// The only place of the supervisor that reads the environment. Children get the small set of
// variables named here and nothing else, so that no secret in a person's shell reaches them.

import { tmpdir } from 'node:os'
import envPaths from 'env-paths'

export interface Environment {
  /** Per-user cache: built programs and bundles, shared by every deployment of this user. */
  readonly cacheFolder: string
  /** What belongs to all deployments of the machine: which user ids are whose. Root's. */
  readonly systemFolder: string
  /** Folder with the programs, instead of the cache (development and tests). */
  readonly toolsFolder: string | undefined
  /** Folders to look for programs in. */
  readonly path: readonly string[]
  /** Where short socket names can be made when the state folder's path is too long. */
  readonly temporaryFolder: string
  /** What children get as their environment. */
  readonly childEnvironment: Readonly<Record<string, string>>
  /** A variable that a person's configuration names as the place of a secret. */
  readonly variable: (name: string) => string | undefined
}

/** What servers and Node need of a session: finding programs, a home, a place for temporary files. */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR']

export function readEnvironment(): Environment {
  const variables = process.env
  const { BULKHEAD_TOOLS: toolsFolder, PATH: path = '' } = variables
  // Temporal asks who runs it; a user id without an account (a service, a container) has no name.
  const childEnvironment: Record<string, string> = { USER: variables['USER'] ?? 'bulkhead' }
  for (const name of passedOn) {
    const value = variables[name]
    if (value !== undefined) childEnvironment[name] = value
  }
  return {
    cacheFolder: envPaths('bulkhead', { suffix: '' }).cache,
    systemFolder: '/var/lib/bulkhead',
    toolsFolder,
    // An ordinary user's PATH often lacks the sbin folders, where distributions put runc.
    path: [...path.split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(
      (folder) => folder !== '',
    ),
    temporaryFolder: tmpdir(),
    childEnvironment,
    variable: (name) => variables[name],
  }
}
