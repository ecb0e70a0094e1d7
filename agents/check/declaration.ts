// The part of a check that only looks at what an agent declares. Pure. Most of it is asked again of the
// function that every catalogue asks; roles and labels have codes of their own, because they are what
// authors forget.

import { faultOfFlow } from '../../plan/flow-declaration.ts'
import { leavesOf, toJsonSchema } from '../../plan/json-schema.ts'
import { createCatalogue, ManifestError } from '../../plan/manifest.ts'
import type { AgentDefinition } from '../define-agent.ts'
import type { Tally } from './contract.ts'

/** @param folder name of the agent's folder, which is its name */
export function checkDeclaration(
  { manifest, actions }: AgentDefinition,
  folder: string,
  tally: Tally,
): void {
  tally.tried('manifest')
  if (manifest.name !== folder) {
    tally.add('MANIFEST', '', `it is named ${manifest.name} and lies in a folder ${folder}`)
  }
  for (const [name, action] of Object.entries(manifest.actions)) {
    tally.tried('manifest')
    const leaves = leavesOf(toJsonSchema(action.input, 'input'))
    for (const leaf of leaves) {
      if (!Object.hasOwn(action.roles, leaf)) {
        tally.add('ROLE_MISSING', name, `the input ${leaf} has no role`)
      }
    }
    for (const pointer of Object.keys(action.roles)) {
      if (!leaves.includes(pointer)) {
        tally.add('ROLE_MISSING', name, `there is no input ${pointer} to have a role`)
      }
    }
    const output = toJsonSchema(action.output, 'output')
    const fault = faultOfFlow(action, output, manifest.egress ?? [])
    if (fault !== undefined) tally.add('LABEL_NOWHERE', name, fault)
    if (!actions.has(name)) tally.add('HANDLER_MISSING', name, 'it is declared and has no handler')
  }
  for (const name of actions.keys()) {
    if (!Object.hasOwn(manifest.actions, name)) {
      tally.add('HANDLER_MISSING', name, 'it has a handler and is not declared')
    }
  }
  if (tally.found.length > 0) return
  try {
    createCatalogue([manifest])
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    tally.add('MANIFEST', '', error.message)
  }
}
