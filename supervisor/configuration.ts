// Reads `bulkhead.yaml`. Parsing is plan/configuration.ts's; this adds the file, turns what is wrong
// with it into one error that names file and line, and resolves the folders that manifests ask for.

import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { settingsOf } from '../plan/agent-settings.ts'
import { parseConfiguration } from '../plan/configuration.ts'
import { faultOfModel } from '../plan/consultation.ts'
import type { HouseholdRights } from '../plan/household-rights.ts'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { modelAgent } from '../plan/offered-actions.ts'
import { labelOf, type PlannerModel } from '../plan/planner-models.ts'
import { type PolicyConfiguration, toSettings, unknownNames } from '../plan/policy-settings.ts'
import type { KnownNames } from '../plan/principals.ts'
import { faultOfReplicas, type Replicas } from '../plan/replicas.ts'
import { ownerId } from '../security/people.ts'
import { SupervisorError } from './codes.ts'
import type { PolicyParts } from './policy.ts'
import type { ConfiguredPorts } from './ports.ts'
import type { GrantedFolder } from './sandbox/contents.ts'
import { type GrantedProgram, resolveProgram } from './sandbox/programs.ts'
import { resolveAgentSecret, type SecretSources } from './secrets.ts'

/** What is set of agents: by whoever owns the file, or for one person's own agents. */
export interface Settings {
  /** Absolute path of a folder of the person's, by `<agent>.<setting>`. */
  folder(key: string): string | undefined
  /** Any setting as written, by `<agent>.<setting>`. */
  value(key: string): string | undefined
  /** Where in the file they stand; absent: below `agents`. */
  readonly place?: string
}

export interface Configuration extends Settings {
  /** Where the person lives: IANA name; undefined where the file does not say. */
  readonly timezone: string | undefined
  readonly ports: ConfiguredPorts
  readonly fastLane: boolean
  /** By agent, where it is another number than the manifest's. */
  readonly replicas: Replicas
  /** Whom and what the person has named. */
  readonly names: KnownNames
  /** Models that are asked for a plan where no recipe fits; undefined: none. */
  readonly planner: readonly PlannerModel[] | undefined
  /** The model of the house that finds what means the same; undefined: none. */
  readonly embeddings: string | undefined
  /** What people may do for each other. */
  readonly users: HouseholdRights
  readonly policy: PolicyParts
  /** Those of this person's own agents; the owner's are the file's. */
  of(person: string): Settings
}

/** @throws SupervisorError CONFIG_INVALID with file, line and hint */
export function loadConfiguration(file: string, catalogue: Catalogue): Configuration {
  const settings = [...catalogue.values()].flatMap((manifest) =>
    settingsOf(manifest).map(({ name, kind }) => ({ key: `${manifest.name}.${name}`, kind })),
  )
  const known = settings.map(({ key }) => key)
  const mounted = settings.filter(({ kind }) => kind === 'folder').map(({ key }) => key)
  const parsed = parseConfiguration(readSource(file), file, known)
  if (!parsed.ok) {
    const lines = parsed.problems.map(
      ({ line, message, hint }) => `${file}:${line}: ${message} (${hint})`,
    )
    throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
  }
  const { lineOf } = parsed
  const { ports = {}, fastLane = true, agents = {}, replicas = {} } = parsed.configuration
  assertReplicas(replicas, { file, catalogue, lineOf })
  const { people = {}, places = {}, users = {} } = parsed.configuration
  const own = { file, mounted, lineOf }
  const house = toSettingsOf(agents, { ...own, place: ['agents'] })
  assertPersonal(users, { file, catalogue, known, lineOf })
  assertPlanner(parsed.configuration.planner?.models, { file, catalogue, lineOf, house })
  if (parsed.configuration.embeddings !== undefined && house.value('model.local') === undefined) {
    const message = `${file}:${lineOf(['embeddings'])}: embeddings: there is no model of the house`
    throw new SupervisorError('CONFIG_INVALID', `${message} (set agents.model.local)`, {
      next: `edit ${file}`,
    })
  }
  const personal = new Map(
    Object.entries(users).map(([id, { agents: written = {} }]) => [
      id,
      toSettingsOf(written, { ...own, place: ['users', id, 'agents'] }),
    ]),
  )
  return {
    timezone: parsed.configuration.timezone,
    ports,
    fastLane,
    replicas,
    names: { people, places },
    planner: parsed.configuration.planner?.models,
    embeddings: parsed.configuration.embeddings,
    users,
    policy: toPolicyParts(parsed.configuration.policy, { file, catalogue, lineOf }),
    ...house,
    of: (person) => (person === ownerId ? house : (personal.get(person) ?? nothingSet(person))),
  }
}

/** @throws SupervisorError CONFIG_INVALID for a folder that is none */
function toSettingsOf(
  agents: Readonly<Record<string, Readonly<Record<string, string>>>>,
  {
    file,
    mounted,
    place,
    lineOf,
  }: {
    readonly file: string
    readonly mounted: readonly string[]
    readonly place: readonly string[]
    readonly lineOf: (path: readonly string[]) => number
  },
): Settings {
  const values = new Map<string, string>(
    Object.entries(agents).flatMap(([agent, settings]) =>
      Object.entries(settings).map(([name, value]) => [`${agent}.${name}`, value] as const),
    ),
  )
  const folders = new Map<string, string>(
    [...values]
      .filter(([key]) => mounted.includes(key))
      .map(([key, value]) => [key, resolve(dirname(file), value)]),
  )
  // Said at once, although only the agent needs it: a slip of the pen is found where it was made.
  const missing = [...folders].filter(([, path]) => !isFolder(path))
  if (missing.length > 0) {
    const lines = missing.map(
      ([key, path]) =>
        `${file}:${lineOf([...place, ...key.split('.')])}: ${key}: ${path} is not a folder`,
    )
    throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), {
      next: `mkdir -p ${missing.map(([, path]) => path).join(' ')}   or edit ${file}`,
    })
  }
  return {
    folder: (key) => folders.get(key),
    value: (key) => values.get(key),
    place: place.join('.'),
  }
}

const nothingSet = (person: string): Settings => ({
  folder: () => undefined,
  value: () => undefined,
  place: `users.${person}.agents`,
})

/** A setting of an agent that is everybody's would never be read. @throws SupervisorError CONFIG_INVALID */
function assertPersonal(
  users: HouseholdRights,
  {
    file,
    catalogue,
    known,
    lineOf,
  }: {
    readonly file: string
    readonly catalogue: Catalogue
    readonly known: readonly string[]
    readonly lineOf: (path: readonly string[]) => number
  },
): void {
  const lines = Object.entries(users).flatMap(([id, { agents = {} }]) =>
    Object.entries(agents).flatMap(([agent, settings]) =>
      Object.keys(settings).flatMap((name) => {
        const path = ['users', id, 'agents', agent, name]
        const at = `${file}:${lineOf(path)}: ${path.join('.')}`
        if (id === ownerId) return [`${at}: the owner's stand below agents (move it there)`]
        if (catalogue.get(agent)?.perUser !== true) {
          return [`${at}: ${agent} is no agent of one's own (leave it out)`]
        }
        return known.includes(`${agent}.${name}`) ? [] : [`${at} is not a setting (leave it out)`]
      }),
    ),
  )
  if (lines.length === 0) return
  throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
}

/** @throws SupervisorError CONFIG_INVALID */
function toPolicyParts(
  policy: PolicyConfiguration = {},
  {
    file,
    catalogue,
    lineOf,
  }: {
    readonly file: string
    readonly catalogue: Catalogue
    readonly lineOf: (path: readonly string[]) => number
  },
): PolicyParts {
  const { bundle: written } = policy
  const bundle = written === undefined ? undefined : resolve(dirname(file), written)
  const lines = unknownNames(policy, catalogue).map(
    ({ path, name, hint }) =>
      `${file}:${lineOf(path)}: ${path.join('.')}: nothing is called ${name} (${hint})`,
  )
  if (bundle !== undefined && !isFolder(bundle)) {
    lines.push(`${file}:${lineOf(['policy', 'bundle'])}: policy.bundle: ${bundle} is not a folder`)
  }
  if (lines.length > 0) {
    throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
  }
  return { settings: toSettings(policy), bundle }
}

/** @throws SupervisorError CONFIG_INVALID */
function assertReplicas(
  replicas: Replicas,
  {
    file,
    catalogue,
    lineOf,
  }: {
    readonly file: string
    readonly catalogue: Catalogue
    readonly lineOf: (path: readonly string[]) => number
  },
): void {
  const lines = Object.entries(replicas).flatMap(([agent, wanted]) => {
    const fault = faultOfReplicas(catalogue.get(agent), wanted)
    if (fault === undefined) return []
    const line = lineOf(['replicas', agent])
    return [`${file}:${line}: replicas.${agent}: ${agent} ${fault.message} (${fault.hint})`]
  })
  if (lines.length === 0) return
  throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
}

/** What the agent of models would refuse is found here. @throws SupervisorError CONFIG_INVALID */
function assertPlanner(
  models: readonly PlannerModel[] = [],
  {
    file,
    catalogue,
    house,
    lineOf,
  }: {
    readonly file: string
    readonly catalogue: Catalogue
    readonly house: Settings
    readonly lineOf: (path: readonly string[]) => number
  },
): void {
  const lines = models.flatMap((model) => {
    const setting = `${modelAgent}.${model.provider}`
    const unset = house.value(setting) === undefined ? `agents.${setting} is not set` : undefined
    const fault = faultOfModel(model, catalogue) ?? unset
    if (fault === undefined) return []
    const line = lineOf(['planner', 'models'])
    return [`${file}:${line}: planner.models: ${labelOf(model)}: ${fault}`]
  })
  if (lines.length === 0) return
  throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SupervisorError('CONFIG_INVALID', `${file} cannot be read`, {
      next: 'npm start for the sample home, or give your own file with --config',
      cause,
    })
  }
}

/**
 * The person's folders that a manifest asks for.
 * @throws SupervisorError NOT_CONFIGURED when one is not named or is not a folder
 */
export function grantedFolders(
  manifest: AgentManifest,
  settings: Settings,
): readonly GrantedFolder[] {
  return manifest.mounts.map(({ from, at, mode }) => {
    const source = settings.folder(from.config)
    if (source === undefined) {
      throw new SupervisorError('NOT_CONFIGURED', `${from.config} is not set`, {
        next: `name a folder as ${from.config} below ${settings.place ?? 'agents'}: in bulkhead.yaml`,
      })
    }
    if (!isFolder(source)) {
      throw new SupervisorError('NOT_CONFIGURED', `${from.config}: ${source} is not a folder`, {
        next: `mkdir -p ${source}`,
      })
    }
    return { source, at, mode }
  })
}

/**
 * The values of the secrets that a manifest asks for.
 * @throws SupervisorError NOT_CONFIGURED when one is not named, CONFIG_INVALID when it cannot be had
 */
export function grantedSecrets(
  { secrets = [] }: AgentManifest,
  settings: Settings,
  sources: SecretSources,
): readonly { readonly name: string; readonly value: string }[] {
  return secrets.map(({ name, from: { config } }) => {
    const reference = settings.value(config)
    if (reference === undefined) {
      throw new SupervisorError('NOT_CONFIGURED', `${config} is not set`, {
        next: `set ${config} below ${settings.place ?? 'agents'}: in bulkhead.yaml to file://<path>, env://<NAME> or systemd-cred://<name>`,
      })
    }
    return { name, value: resolveAgentSecret(config, reference, sources) }
  })
}

/**
 * The programs that a manifest asks for and that are configured.
 * @throws SupervisorError NOT_CONFIGURED for one that cannot be run in a sandbox
 */
export async function grantedPrograms(
  { programs = [] }: Pick<AgentManifest, 'programs'>,
  settings: Pick<Settings, 'value'>,
): Promise<readonly GrantedProgram[]> {
  const configured = programs.flatMap((program) => {
    const file = settings.value(program.from.config)
    return file === undefined ? [] : [{ program, file }]
  })
  return Promise.all(configured.map(({ program, file }) => resolveProgram(program, file)))
}
