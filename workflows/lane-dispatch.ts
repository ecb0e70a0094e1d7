// Which lane a step takes, and what becomes of what the fast lane leaves undone: a regular activity
// takes it up. What is launched together goes out together, with what follows if all of it settles.
// A function of injected ports with no Temporal import.

import type { Ahead } from './ahead.ts'
import type { AheadCall, AheadResult, WaveResult } from './contract.ts'
import { createGathering, type FastLane } from './fast-lane.ts'
import type { Launch, LookAhead } from './look-ahead.ts'
import type { RunPorts } from './run-plan.ts'

/** Runs one step, or its undo, to an outcome. */
export type Dispatch = RunPorts['dispatch']

export interface LanePorts {
  /** As an activity of its own. */
  regular: Dispatch
  /** As one local activity; undefined when it came to no end. */
  wave(launches: readonly Launch[]): Promise<readonly WaveResult[] | undefined>
  /** As one local activity, wave after wave; undefined when it came to no end. */
  waves(
    launches: readonly (readonly Launch[])[],
    about: Omit<AheadCall, 'waves' | 'endWithinMs'>,
  ): Promise<AheadResult | undefined>
}

interface Member extends Launch {
  readonly following: LookAhead | undefined
}

/** @param ahead absent: a local activity runs one wave */
export function createLaneDispatch(lane: FastLane, ports: LanePorts, ahead?: Ahead): Dispatch {
  const launchWave = createGathering(async (members: readonly Member[]) => {
    const results =
      ahead === undefined
        ? await ports.wave(members)
        : await launchAhead(members, { lane, ports, ahead })
    // What came to no end may have sent its commands.
    return members.map((_, place) => results?.[place] ?? null)
  })
  const finish = ({ step, input }: Launch, result: WaveResult) => {
    if (result === 'turned-away') return ports.regular(step, input)
    if (result === null) return ports.regular(step, { ...input, tried: true })
    return Promise.resolve({ ...result, lane: 'fast' as const })
  }
  return (step, input, about) => {
    const done = ahead?.take(input)
    if (done !== undefined) return finish({ step, input }, done)
    if (!lane.admits(step, input)) return ports.regular(step, input)
    const member = { step, input, following: about?.following }
    return launchWave(member).then((result) => finish(member, result))
  }
}

async function launchAhead(
  members: readonly Member[],
  given: { readonly lane: FastLane; readonly ports: LanePorts; readonly ahead: Ahead },
): Promise<readonly WaveResult[] | undefined> {
  const { lane, ports, ahead } = given
  const look = members[0]?.following
  const begun = members.map(({ step }) => step.id)
  const following = look === undefined ? { waves: [], answer: null } : look(begun)
  const { requestId = '', planRef = '' } = members[0]?.input ?? {}
  const { answer: sources } = following
  const result = await ports.waves([members, ...following.waves], {
    ...(sources === null ? {} : { answer: { requestId, planRef, sources } }),
    beginWithinMs: lane.leftMs(),
  })
  ahead.keep(members, following, result)
  return result?.waves[0]
}
