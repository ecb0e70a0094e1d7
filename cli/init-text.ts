// The text of a first bulkhead.yaml: every setting of every agent, commented out until it has a value.
// Pure. Invariant: what it writes is a configuration, with any answers, and stays one when any of the
// settings is uncommented.

import { type AgentSetting, settingsOf } from '../plan/agent-settings.ts'
import type { Catalogue } from '../plan/manifest.ts'

export interface InitAnswers {
  /** IANA name. */
  readonly timeZone: string
  /** `<agent>.<setting>` -> value, as the person typed it. */
  readonly values: ReadonlyMap<string, string>
}

const head = (
  timeZone: string,
) => `# What your assistant may work with. Paths are relative to this file; secrets are named, never written
# here: file://path, env://NAME or systemd-cred://name. docs/agents.md says what each agent does, and
#   npx bulkhead agents connect <agent>     looks at its settings
#   npx bulkhead up --config <this file>    starts

# Where you live: decides when a day begins, and what a time without a zone means.
timezone: ${JSON.stringify(timeZone)}

# Addresses of people, by any name; under owner your own. Whoever is not listed is a stranger.
# people:
#   owner: [me@example.org]
#   bob: [bob@example.org]
# places:
#   office: ["Example Street 1"]

# What is asked, refused and bounded beyond the rules that everybody has.
# policy:
#   ask: [notes.append]
#   quiet: { from: "21:00", to: "08:00" }
`

export function toConfigurationText(
  catalogue: Catalogue,
  { timeZone, values }: InitAnswers,
): string {
  const agents = [...catalogue.values()].flatMap((manifest) => {
    const settings = settingsOf(manifest)
    if (settings.length === 0) return []
    const lines = settings.map((setting) => lineOf(manifest.name, setting, values))
    const isSet = lines.some(({ set }) => set)
    return [
      { set: isSet, text: `  # ${manifest.summary}` },
      { set: isSet, text: `  ${isSet ? '' : '# '}${manifest.name}:` },
      ...lines,
    ]
  })
  // A key with nothing but comments below it would say that there is nothing.
  const key = agents.some(({ set }) => set) ? 'agents:' : '# agents:'
  return `${head(timeZone)}\n${key}\n${agents.map(({ text }) => text).join('\n')}\n`
}

function lineOf(
  agent: string,
  { name, use, example }: AgentSetting,
  values: ReadonlyMap<string, string>,
): { readonly set: boolean; readonly text: string } {
  const value = values.get(`${agent}.${name}`)
  // JSON's texts are YAML's.
  if (value !== undefined) return { set: true, text: `    ${name}: ${JSON.stringify(value)}` }
  return { set: false, text: `  #   ${name}: ${example}    # ${use}` }
}
