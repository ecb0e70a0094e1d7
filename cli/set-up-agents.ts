// Whether the agents that a recipe asks are set up, by what the supervisor wrote of their reach at its last
// start. Says only what bulkhead.yaml names: not whether a server answers or a secret can be read.

import { join } from 'node:path'
import { z } from 'zod'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { readIfThere } from '../security/read-if-there.ts'

const reachSchema = z.object({
  agents: z.record(
    z.string(),
    z.object({
      mounts: z.array(z.object({ from: z.string(), folder: z.string().nullable() })),
      egress: z.array(z.object({ id: z.string(), origins: z.array(z.string()) })),
      programs: z.array(z.object({ name: z.string() })).default([]),
    }),
  ),
})
export type WrittenReach = z.infer<typeof reachSchema>
type AgentReach = WrittenReach['agents'][string]

/**
 * `partly`: it starts, but a server or a program that these actions may ask is not named; some do without
 * one. `unknown`: this deployment was never started, or before the agent was there.
 */
export interface NeededAgent {
  readonly agent: string
  readonly state: 'set-up' | 'partly' | 'not-set-up' | 'unknown'
  /** Settings of bulkhead.yaml to make, below `agents:`. */
  readonly missing: readonly string[]
}

/** Undefined before the first start. @throws z.ZodError when it is not what a supervisor writes */
export function readReach(state: string): WrittenReach | undefined {
  const text = readIfThere(join(state, 'public', 'reach.json'))
  return text === undefined ? undefined : reachSchema.parse(JSON.parse(text))
}

/** @param needs agent -> actions that are asked of it */
export function neededAgents(
  needs: ReadonlyMap<string, readonly string[]>,
  { catalogue, reach }: { readonly catalogue: Catalogue; readonly reach: WrittenReach | undefined },
): readonly NeededAgent[] {
  return [...needs].map(([agent, actions]) => {
    const manifest = catalogue.get(agent)
    const key = `${agent}.0`
    const known = reach !== undefined && Object.hasOwn(reach.agents, key)
    const own = known ? reach.agents[key] : undefined
    if (manifest === undefined || own === undefined) return { agent, state: 'unknown', missing: [] }
    const { needed, wanted } = missingSettings(manifest, actions, own)
    const partly = wanted.length === 0 ? 'set-up' : 'partly'
    return {
      agent,
      state: needed.length === 0 ? partly : 'not-set-up',
      missing: [...needed, ...wanted],
    }
  })
}

/** An agent does not start without its folders; hosts matter to the actions that may ask them. */
function missingSettings(
  { mounts, egress = [], programs = [], actions: declared }: AgentManifest,
  actions: readonly string[],
  own: AgentReach,
) {
  const asked = new Set(
    actions.flatMap((name) =>
      Object.hasOwn(declared, name) ? (declared[name]?.egress ?? []) : [],
    ),
  )
  const folders = mounts.flatMap(({ from }) => {
    const mount = own.mounts.find((one) => one.from === from.config)
    return mount?.folder === undefined || mount.folder === null ? [from.config] : []
  })
  const hosts = egress.flatMap(({ id, host }) => {
    const origins = own.egress.find((one) => one.id === id)?.origins ?? []
    const isMissing = asked.has(id) && typeof host !== 'string' && origins.length === 0
    return isMissing ? [host.config] : []
  })
  const runs = programs.flatMap(({ name, from }) =>
    own.programs.some((one) => one.name === name) ? [] : [from.config],
  )
  return { needed: folders, wanted: [...hosts, ...runs] }
}
