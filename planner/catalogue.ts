// What a planner is told of the agents: what their manifests declare of actions, and nothing of what any
// agent has ever returned. Sorted, so that the same house is told in the same bytes. Pure.

import type { Effect } from '../plan/effect.ts'
import { type JsonSchema, toJsonSchema } from '../plan/json-schema.ts'
import type { Catalogue, Role } from '../plan/manifest.ts'

export interface ActionDescription {
  readonly agent: string
  readonly action: string
  readonly effect: Effect
  /** JSON Schema of its arguments, and of what it returns. */
  readonly input: JsonSchema
  readonly output: JsonSchema
  /** By pointer into the arguments: what decides, and what is only content. */
  readonly roles: Readonly<Record<string, Role>>
}

export function describeActions(catalogue: Catalogue): readonly ActionDescription[] {
  const agents = [...catalogue].toSorted(([one], [other]) => compare(one, other))
  return agents.flatMap(([agent, { actions }]) =>
    Object.entries(actions)
      .toSorted(([one], [other]) => compare(one, other))
      .map(([action, { effect, input, output, roles }]) => ({
        ...{ agent, action, effect, roles },
        input: toJsonSchema(input, 'input'),
        output: toJsonSchema(output, 'output'),
      })),
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
