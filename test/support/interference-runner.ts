// Draws plans, runs each twice with one agent as two different attackers, and compares what the others were
// asked to do. non-interference.test.ts bundles this file from sources in which one flow rule is missing.

import { createHash } from 'node:crypto'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { attackedHouse as catalogue } from './attacker-manifests.ts'
import { attacker } from './attacker-plans.ts'
import { createRandom, drawPlan, type Hand, pick, type Random } from './drawn-plans.ts'
import { attackerReply } from './interference-attackers.ts'
import { compare, type WrittenPlan } from './interference-oracle.ts'
import { valueOfSchema } from './interference-values.ts'
import { play, type Run, type Scene } from './interference-world.ts'

export interface Tally {
  /** Plans that were run, twice each. */
  readonly pairs: number
  /** Pairs in which both runs came to their end. */
  readonly completed: number
  readonly same: number
  readonly differed: number
  readonly styles: Readonly<Record<string, number>>
  readonly faults: readonly { readonly fault: string; readonly plan: unknown }[]
}

/** Which of two comes first is time's to say, and a channel that is open. */
const hand: Hand = { ...attacker, any: () => [] }

const decide: Scene['decide'] = () => ({ verdict: 'allow', rules: ['anything'] })
const names = { people: { owner: ['me@home.example'], bob: ['bob@x.org'] }, places: {} }

/** Side by side: most of what a run does is to wait for a disk. */
const atOnce = 8

/** `stopAtFirst`: ends with the first fault. */
export async function campaign({
  seed,
  plans,
  stopAtFirst,
}: {
  readonly seed: number
  readonly plans: number
  readonly stopAtFirst: boolean
}): Promise<Tally> {
  const tally = { pairs: 0, completed: 0, same: 0, differed: 0 }
  const styles: Record<string, number> = {}
  const count = (style: string) => {
    styles[style] = (styles[style] ?? 0) + 1
  }
  const faults: { fault: string; plan: unknown }[] = []
  let next = 0
  const work = async () => {
    while (next < plans && !(stopAtFirst && faults.length > 0)) {
      next += 1
      const found = await runTwice(createRandom(seed + next), count)
      if (found === undefined) continue
      const { plan, completed, verdict } = found
      const { fault, same, differed } = verdict
      tally.pairs += 1
      tally.completed += Number(completed)
      tally.same += same
      tally.differed += differed
      if (fault !== undefined) faults.push({ fault, plan })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return { ...tally, styles, faults }
}

/** @returns undefined where the rules refuse the plan that was drawn */
async function runTwice(random: Random, count: (style: string) => void) {
  const plan = drawPlan(random, hand) as unknown as WrittenPlan
  const taken = pick(random, heard(plan))
  const source = JSON.stringify(plan)
  const seeds = [1, 2].map(() => Math.floor(random() * 2 ** 31))
  const runs: Run[] = []
  for (const seed of seeds) {
    const run = await play(sceneOf(source, taken, seed, count))
    if (run === undefined) return undefined
    runs.push(run)
  }
  const [one, other] = runs
  if (one === undefined || other === undefined) return undefined
  const completed = runs.every(({ status }) => status === 'completed')
  return { plan, completed, verdict: compare(plan, taken, [one, other]) }
}

/** Agents whose words other agents are given; of a plan that gives nobody any, all of them. */
function heard({ steps }: WrittenPlan): readonly string[] {
  const found = steps.filter(({ id, agent }) =>
    steps.some((other) => other.agent !== agent && JSON.stringify(other).includes(`"${id}#`)),
  )
  return [...new Set((found.length === 0 ? steps : found).map(({ agent }) => agent))]
}

function sceneOf(
  source: string,
  agent: string,
  seed: number,
  count: (style: string) => void,
): Scene {
  const random = createRandom(seed)
  return {
    ...{ source, catalogue, decide, names },
    honest(name, action, args) {
      const word = createHash('sha256')
        .update(canonicalJson(args as never))
        .digest('hex')
        .slice(0, 8)
      const output = catalogue.get(name)?.actions[action]?.output
      if (output === undefined) throw new Error(`nobody declares ${name}.${action}`)
      return valueOfSchema(output, () => `${word}1`, 2)
    },
    taken: { agent, reply: (taken) => attackerReply(random, taken, count) },
  }
}
