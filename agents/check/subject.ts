// Loads the agent of a folder and its examples. What is loaded is code of whoever wrote the agent: only
// for the process of a check.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ManifestError } from '../../plan/manifest.ts'
import type { AgentDefinition } from '../define-agent.ts'
import { deniedOf } from './call.ts'
import type { Tally } from './contract.ts'
import type { AgentExamples } from './examples-contract.ts'

/** Undefined when one of the two cannot be had, which is a finding. */
export async function loadSubject(
  folder: string,
  tally: Tally,
): Promise<{ readonly agent: AgentDefinition; readonly examples: AgentExamples } | undefined> {
  tally.tried('manifest')
  const agent = await load(join(folder, 'agent.ts'), 'agent', tally)
  if (agent === undefined) return undefined
  if (!isAgent(agent)) {
    tally.add('NOT_LOADED', '', 'agent.ts exports no `agent` that defineAgent made')
    return undefined
  }
  const examples = await load(join(folder, 'examples.ts'), 'examples', tally)
  if (examples === undefined) return undefined
  if (!isExamples(examples)) {
    tally.add('NOT_LOADED', '', 'examples.ts exports no `examples` with worlds')
    return undefined
  }
  return { agent, examples }
}

async function load(file: string, name: string, tally: Tally): Promise<unknown> {
  try {
    const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
    return loaded[name] ?? null
  } catch (error) {
    const denied = deniedOf(error)
    if (denied !== undefined) tally.add('OUTSIDE', '', `${name}.ts was refused ${denied}`)
    else if (error instanceof ManifestError) tally.add('MANIFEST', '', error.message)
    else {
      const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : typeof error
      tally.add('NOT_LOADED', '', `${name}.ts cannot be loaded: ${message}`)
    }
    return undefined
  }
}

function isAgent(value: unknown): value is AgentDefinition {
  if (typeof value !== 'object' || value === null) return false
  return 'manifest' in value && 'actions' in value && value.actions instanceof Map
}

function isExamples(value: unknown): value is AgentExamples {
  return (
    typeof value === 'object' && value !== null && 'worlds' in value && Array.isArray(value.worlds)
  )
}
