// Draws plans, has them judged, and runs those that pass, without the steps that nobody approves.
// attacker-plans.test.ts bundles this file from sources in which one flow rule is missing;
// ordinary-plans.test.ts has it draw the twins.

import { compilePlan } from '../../plan/compile.ts'
import { judgePlan } from '../../plan/judge-flow.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { attackedHouse as catalogue } from './attacker-manifests.ts'
import { type Author, unauthorised } from './attacker-oracle.ts'
import { attacker } from './attacker-plans.ts'
import { perform } from './attacker-world.ts'
import { createRandom, drawPlan, type Hand } from './drawn-plans.ts'

/** The policy allows everything: what refuses is the flow. */
const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
const names = {
  people: { owner: ['me@home.example'], bob: ['bob@x.org'] },
  places: { a: ['word'] },
}
const reads = ['desk.look', 'mail.list', 'web.recall', 'shelf.fetch', 'board.glance']

export interface Tally {
  readonly plans: number
  /** Compiled, but for the flow. */
  readonly sound: number
  readonly admitted: number
  /** Admitted, and did something besides reading. */
  readonly acted: number
  readonly refusedBy: Readonly<Record<string, number>>
  /** Of those that were admitted: how many have a step about which a rule asks. */
  readonly askedBy: Readonly<Record<string, number>>
  /** What happened that must not, and the plan; `stopAtFirst` ends there. */
  readonly faults: readonly { readonly fault: string; readonly plan: unknown }[]
}

export interface Campaign {
  readonly seed: number
  readonly plans: number
  readonly stopAtFirst: boolean
  /** Share of the plans that a model proposed; absent: one in five. */
  readonly proposals?: number
  /** Whose hand they are of; absent: the attacker's. */
  readonly hand?: Hand
}

export function attack(campaign: Campaign): Tally {
  const { seed, plans, stopAtFirst, proposals = 0.2, hand = attacker } = campaign
  const random = createRandom(seed)
  const tally = { plans: 0, sound: 0, admitted: 0, acted: 0 }
  const refusedBy: Record<string, number> = {}
  const askedBy: Record<string, number> = {}
  const faults: { fault: string; plan: unknown }[] = []
  for (let drawn = 0; drawn < plans; drawn += 1) {
    if (stopAtFirst && faults.length > 0) break
    const author: Author = random() < proposals ? 'proposal' : 'person'
    const plan = drawPlan(random, hand)
    tally.plans += 1
    const judged = judge(plan, author)
    if ('refused' in judged) {
      refusedBy[judged.refused] = (refusedBy[judged.refused] ?? 0) + 1
      if (judged.refused.startsWith('FLOW')) tally.sound += 1
      continue
    }
    tally.sound += 1
    tally.admitted += 1
    for (const code of judged.asked) askedBy[code] = (askedBy[code] ?? 0) + 1
    const { effects } = perform({ plan: judged.plan, world: { secret: 2 } })
    if (effects.some(({ action }) => !reads.includes(action))) tally.acted += 1
    const fault = unauthorised(judged.plan, author)
    if (fault !== undefined) faults.push({ fault, plan })
  }
  return { ...tally, refusedBy, askedBy, faults }
}

/** The compiler judges what a person registered; a proposal is judged by stricter rules besides. */
function judge(written: unknown, author: Author) {
  const compiled = compilePlan(written, { inputs: {}, catalogue, decide, names })
  if (!compiled.ok) return { refused: compiled.issues[0]?.code ?? '' }
  const { plan } = compiled
  const judged = judgePlan(plan, catalogue, { names, author })
  const [violation] = judged.violations
  if (violation !== undefined) return { refused: violation.code }
  const asked = new Set(judged.questions.map(({ code }) => code))
  return { plan: unapproved(plan, new Set(judged.questions.map(({ step }) => step))), asked }
}

/** What is left of a plan while nobody answers: neither what is asked about nor what waits for it. */
function unapproved(plan: CompiledPlan, asked: ReadonlySet<string>): CompiledPlan {
  const waiting = new Set(asked)
  for (const { id, needs, join } of plan.steps) {
    const waits = (need: string) => waiting.has(need)
    const isHeld = join === 'any' ? needs.every(waits) : needs.some(waits)
    if (needs.length > 0 && isHeld) waiting.add(id)
  }
  return { ...plan, steps: plan.steps.filter(({ id }) => !waiting.has(id)) }
}
