// What `bulkhead.yaml` may say of an agent, by its manifest: which settings there are and what each is.
// Pure: whether a folder exists or a server answers is for others to find out.

import type { AgentManifest } from './manifest.ts'

export interface AgentSetting {
  /** Below `agents: <name>:`. */
  readonly name: string
  /** secret: a reference to one, never its value. */
  readonly kind: 'folder' | 'origins' | 'secret' | 'program'
  /** For people: what it is used as. */
  readonly use: string
  /** An example of a value, for a file that a person then edits. */
  readonly example: string
}

export function settingsOf(manifest: AgentManifest): readonly AgentSetting[] {
  const { mounts, egress = [], secrets = [], programs = [] } = manifest
  const nameOf = (key: string) => key.slice(key.indexOf('.') + 1)
  const settings: AgentSetting[] = [
    ...mounts.map(
      ({ from, mode }): AgentSetting => ({
        name: nameOf(from.config),
        kind: 'folder',
        use: mode === 'rw' ? 'a folder that it reads and changes' : 'a folder that it only reads',
        example: 'path/to/folder',
      }),
    ),
    ...egress.flatMap(({ host, protocol }): AgentSetting[] =>
      typeof host === 'string'
        ? []
        : [
            {
              name: nameOf(host.config),
              kind: 'origins',
              use: 'servers that it may ask, with commas',
              example:
                protocol === 'tls' ? 'tls://server.example.org:993' : 'https://server.example.org',
            },
          ],
    ),
    ...egress.flatMap(({ id, credential }): AgentSetting[] =>
      credential === undefined
        ? []
        : [
            {
              name: nameOf(credential.secret.config),
              kind: 'secret',
              use: `what the gateway shows the server of \`${id}\`; the agent never has it`,
              example: 'file://path/to/secret',
            },
          ],
    ),
    ...secrets.map(
      ({ name, from }): AgentSetting => ({
        name: nameOf(from.config),
        kind: 'secret',
        use: `the secret \`${name}\`, given to the agent itself`,
        example: 'file://path/to/secret',
      }),
    ),
    ...programs.map(
      ({ name, from }): AgentSetting => ({
        name: nameOf(from.config),
        kind: 'program',
        use: `the absolute path of ${name}, which it may run`,
        example: `/usr/bin/${name}`,
      }),
    ),
  ]
  const names = [...new Set(settings.map(({ name }) => name))]
  return names.flatMap((name) => settings.find((setting) => setting.name === name) ?? [])
}
