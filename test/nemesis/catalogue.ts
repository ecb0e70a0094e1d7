// Two shipped agents and the test agent, whose action `count` cannot be done twice without showing it.

import { catalogue } from '../../agents/catalogue.ts'
import type { AgentManifest, Catalogue } from '../../plan/manifest.ts'
import { manifest } from '../support/test-agent/manifest.ts'

export const nemesisAgents = ['calendar', 'notes', 'test'] as const

export const nemesisCatalogue: Catalogue = new Map<string, AgentManifest>(
  [...catalogue, ['test', manifest] as const].filter(([name]) =>
    nemesisAgents.some((known) => known === name),
  ),
)
