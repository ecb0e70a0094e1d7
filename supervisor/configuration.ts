// Reads `bulkhead.yaml`. Parsing is plan/configuration.ts's; this adds the file, turns what is wrong
// with it into one error that names file and line, and resolves the folders that manifests ask for.

import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseConfiguration } from '../plan/configuration.ts'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { SupervisorError } from './codes.ts'
import type { ConfiguredPorts } from './ports.ts'
import type { GrantedFolder } from './sandbox/contents.ts'
import { resolveSecret, type SecretSources } from './secrets.ts'

export interface Configuration {
  readonly ports: ConfiguredPorts
  /** Absolute path of a folder of the person's, by `<agent>.<setting>`. */
  folder(key: string): string | undefined
  /** Any setting as written, by `<agent>.<setting>`. */
  value(key: string): string | undefined
}

/** @throws SupervisorError CONFIG_INVALID with file, line and hint */
export function loadConfiguration(file: string, catalogue: Catalogue): Configuration {
  const manifests = [...catalogue.values()]
  const mounted = manifests.flatMap(({ mounts }) => mounts.map(({ from }) => from.config))
  const asked = manifests.flatMap(({ egress = [], secrets = [] }) => [
    ...secrets.map(({ from }) => from.config),
    ...egress.flatMap(({ host, credential }) => [
      ...(typeof host === 'string' ? [] : [host.config]),
      ...(credential === undefined ? [] : [credential.secret.config]),
    ]),
  ])
  const parsed = parseConfiguration(readSource(file), file, [...mounted, ...asked])
  if (!parsed.ok) {
    const lines = parsed.problems.map(
      ({ line, message, hint }) => `${file}:${line}: ${message} (${hint})`,
    )
    throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), { next: `edit ${file}` })
  }
  const { ports = {}, agents = {} } = parsed.configuration
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
        `${file}:${parsed.lineOf(['agents', ...key.split('.')])}: ${key}: ${path} is not a folder`,
    )
    throw new SupervisorError('CONFIG_INVALID', lines.join('\n'), {
      next: `mkdir -p ${missing.map(([, path]) => path).join(' ')}   or edit ${file}`,
    })
  }
  return { ports, folder: (key) => folders.get(key), value: (key) => values.get(key) }
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
  configuration: Configuration,
): readonly GrantedFolder[] {
  return manifest.mounts.map(({ from, at, mode }) => {
    const source = configuration.folder(from.config)
    if (source === undefined) {
      throw new SupervisorError('NOT_CONFIGURED', `${from.config} is not set`, {
        next: `name a folder as ${from.config} below agents: in bulkhead.yaml`,
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
  configuration: Configuration,
  sources: SecretSources,
): readonly { readonly name: string; readonly value: string }[] {
  return secrets.map(({ name, from: { config } }) => {
    const reference = configuration.value(config)
    if (reference === undefined) {
      throw new SupervisorError('NOT_CONFIGURED', `${config} is not set`, {
        next: `set ${config} below agents: in bulkhead.yaml to file://<path>, env://<NAME> or systemd-cred://<name>`,
      })
    }
    return { name, value: resolveSecret(config, reference, sources) }
  })
}
