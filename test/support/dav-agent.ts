// An agent's own actions, called on a real CalDAV server and a folder of the test's. Only the token and the
// sandbox are missing.

import type { z } from 'zod'
import type { ActionContext, AgentDefinition } from '../../agents/define-agent.ts'
import type { AgentManifest } from '../../plan/manifest.ts'
import { contextOf, idemOf } from '../agents/action-context.ts'
import type { Radicale } from './radicale.ts'

export interface DavPlace {
  readonly server: Radicale
  readonly folder: string
}

/**
 * It is Saturday, 21 November 2026, nine in the morning in Vienna.
 *
 * @param place asked at each call: a test has one of its own
 */
export function callsOf<Manifest extends AgentManifest>(
  agent: AgentDefinition,
  manifest: Manifest,
  place: () => DavPlace,
) {
  type Actions = Manifest['actions']
  return async <Name extends keyof Actions & string>(
    name: Name,
    args: object,
    idem: string = idemOf(name),
    kind: ActionContext['kind'] = 'do',
  ): Promise<z.infer<Actions[Name]['output']>> => {
    const action = agent.actions.get(name)
    const call = action?.prepare(args)
    if (action === undefined || call === undefined) throw new Error(`${name} refuses its arguments`)
    const { server, folder } = place()
    const setting = { folder, now: Date.parse('2026-11-21T08:00:00Z') }
    const fetch = server.fetchFor(manifest, name)
    const result = await call({ ...contextOf(setting, idem), kind, fetch })
    return action.declaration.output.parse(result) as z.infer<Actions[Name]['output']>
  }
}
