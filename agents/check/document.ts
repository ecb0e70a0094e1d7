// docs/agents.md as a text: every agent of a catalogue, its settings and its actions, as the manifests
// declare them. Pure; `agent docs` writes the file, and a test compares it.

import { settingsOf } from '../../plan/agent-settings.ts'
import { toJsonSchema } from '../../plan/json-schema.ts'
import type { ActionManifest, AgentManifest, Catalogue } from '../../plan/manifest.ts'

const head = `# Agents

Written by \`npx bulkhead agent docs\` from the manifests; do not edit it by hand.

An argument with \`?\` may be left out. Arguments decide whom, where and what (control) unless it says
*content*, *amount* or *opaque* (an id that the same agent gave before). A setting of
\`bulkhead.yaml\` stands below \`agents: <name>:\`; \`npx bulkhead agents connect <name>\` looks at them.
`

export function describeAgents(catalogue: Catalogue): string {
  return [head, ...[...catalogue.values()].map(describeAgent)].join('\n')
}

function describeAgent(manifest: AgentManifest): string {
  const settings = settingsOf(manifest)
  const actions = Object.entries(manifest.actions)
  const lines = [
    `## ${manifest.name}`,
    '',
    `It ${manifest.summary}.`,
    '',
    ...table(
      ['setting', 'what'],
      settings.map(({ name, use }) => [`\`${manifest.name}.${name}\``, use]),
    ),
    ...table(
      ['action', 'effect', 'what', 'arguments', 'undo'],
      actions.map(([name, action]) => [
        `\`${name}\``,
        effectOf(action),
        action.summary,
        argumentsOf(action),
        action.undo === 'none' ? '-' : `\`${action.undo.action}\``,
      ]),
    ),
  ]
  return lines.join('\n')
}

function effectOf({ effect, egress = [], touches = [] }: ActionManifest): string {
  const servers = egress.length === 0 ? '' : `, asks ${egress.join(', ')}`
  return `${effect}${servers}${touches.length === 0 ? '' : `, touches ${touches.join(', ')}`}`
}

function argumentsOf({ input, roles }: ActionManifest): string {
  const { required } = toJsonSchema(input, 'input')
  const needed = new Set(Array.isArray(required) ? required.map(String) : [])
  const parts = Object.entries(roles).map(([pointer, role]) => {
    const tokens = pointer.slice(1).split('/')
    const name = tokens.join('.').replaceAll('.*', '[]')
    const mark = needed.has(tokens[0] ?? '') ? '' : '?'
    return `\`${name}${mark}\`${role === 'control' ? '' : ` *${role}*`}`
  })
  return parts.length === 0 ? '-' : parts.join(', ')
}

/** Nothing for a table without rows; an empty line after it otherwise. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(titles), `|${'---|'.repeat(titles.length)}`, ...rows.map(line), '']
}
