// What stands in for each agent of everyday-manifests.ts: a real agent in a real sandbox, which answers
// plainly. What it was asked to do is in its ledger, as with every agent.

import { type AgentDefinition, defineAgent } from '../../agents/define-agent.ts'
import { catalogue } from './everyday-recipes.ts'
import { valueOfSchema } from './interference-values.ts'

/** @throws Error for an agent that an ordinary day does not need */
export function everydayAgent(name: string): AgentDefinition {
  const manifest = catalogue.get(name)
  if (manifest === undefined) throw new Error(`an ordinary day has no agent ${name}`)
  const handlers = Object.entries(manifest.actions).map(([action, { output }]) => [
    action,
    async () => valueOfSchema(output, () => 'plain words', 1),
  ])
  return defineAgent(manifest, Object.fromEntries(handlers))
}
