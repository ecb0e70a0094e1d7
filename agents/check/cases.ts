// An example call made ready: its world, the calls before it, its arguments. Each trial opens its own, so
// that no trial sees what another left.

import { join } from 'node:path'
import type { AgentDefinition } from '../define-agent.ts'
import { type Ended, perform } from './call.ts'
import type { Tally } from './contract.ts'
import type {
  AgentExamples,
  EarlierCall,
  ExampleArguments,
  ExampleCall,
  ExampleWorld,
} from './examples-contract.ts'
import { createWorld, idemOf, type TriedWorld } from './world.ts'

export interface Checked {
  readonly agent: AgentDefinition
  readonly tally: Tally
  /** Empty folder; each trial has one of its own below it. */
  readonly scratch: string
}

/** One example of one action in one of the worlds. */
export interface Example {
  readonly action: string
  readonly call: ExampleCall
  readonly world: ExampleWorld
  /** In messages: `create, example 2 of folder`. */
  readonly title: string
}

export interface OpenCase {
  readonly example: Example
  readonly world: TriedWorld
  readonly args: ExampleArguments
  /** As the notary's would be for the first command. */
  readonly idem: string
  perform(args?: ExampleArguments, idem?: string): Promise<Ended>
}

export function listExamples({ worlds }: AgentExamples): readonly Example[] {
  return worlds.flatMap((world) =>
    Object.entries(world.calls).flatMap(([action, calls]) =>
      calls.map((call, index) => ({
        action,
        call,
        world,
        title: `example ${index + 1} of ${world.name}`,
      })),
    ),
  )
}

let opened = 0

/**
 * Opens a case, hands it to `use` and removes its world. Undefined when a call before it did not end
 * well, which is a finding.
 */
export async function withCase<T>(
  { agent, tally, scratch }: Checked,
  example: Example,
  use: (open: OpenCase) => Promise<T>,
): Promise<T | undefined> {
  opened += 1
  const world = createWorld(agent.manifest, example.world, join(scratch, String(opened)))
  try {
    const earlier: EarlierCall[] = []
    for (const [index, { action, args }] of (example.call.before ?? []).entries()) {
      const idem = idemOf(`before ${index}`)
      const ended = await perform(agent, world, tally, { action, args, idem })
      if (ended.kind !== 'done') {
        tally.add(
          ended.kind === 'refused' ? 'EXAMPLE_REFUSED' : 'EXAMPLE_FAILED',
          example.action,
          `${example.title}: ${action}, which comes before it, ends ${wordsOf(ended)}`,
        )
        return undefined
      }
      earlier.push({ idem, result: ended.result })
    }
    const { args: given } = example.call
    const args = typeof given === 'function' ? given(earlier) : given
    const idem = idemOf('the command')
    world.forget()
    return await use({
      example,
      world,
      args,
      idem,
      perform: (other = args, otherIdem = idem) =>
        perform(agent, world, tally, { action: example.action, args: other, idem: otherIdem }),
    })
  } finally {
    world.remove()
  }
}

export function wordsOf(ended: Ended): string {
  switch (ended.kind) {
    case 'failed':
      return `with ${ended.code}`
    case 'unknown':
      return 'with an unknown outcome'
    case 'refused':
      return 'because its arguments do not fit'
    case 'faulty':
      return 'with a fault'
    case 'done':
      return 'well'
    default:
      return ended satisfies never
  }
}
