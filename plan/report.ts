// What a plan would do, told before it does: levels, agents, effects, what leaves, how long, how
// risky. Estimates are the critical path over recorded durations; where nothing was recorded, a guess.

import { limits } from './limits.ts'
import type { ActionManifest, Audience, Effect } from './manifest.ts'
import type { CompiledPlan, CompiledStep, CompileReport } from './schema.ts'

export type Durations = (type: string) => { readonly p50: number; readonly p95: number } | undefined

/** A warm agent answers in tens of milliseconds; the slow end is a sandbox that has to start. */
const guess = { p50: 100, p95: 1_000 } as const

export interface ReportContext {
  readonly durations?: Durations | undefined
  /** Steps that a person is asked about: by the policy, or when the plan is enabled. */
  readonly approvals: readonly string[]
  readonly questions: CompileReport['questions']
}

const order: readonly Effect[] = ['read', 'write', 'egress', 'irreversible']

function audienceText(audience: Audience): string {
  if (typeof audience === 'string') return audience
  if ('hostOf' in audience) return `the host that ${audience.hostOf} chooses`
  return 'arg' in audience ? `the value of ${audience.arg}` : `host ${audience.host}`
}

export function reportOn(
  plan: CompiledPlan,
  levels: readonly (readonly string[])[],
  actions: ReadonlyMap<string, ActionManifest>,
  { durations = () => undefined, approvals, questions }: ReportContext,
): CompileReport {
  const highest = Math.max(...plan.steps.map((step) => order.indexOf(step.effect)))
  return {
    levels,
    agents: [...new Set(plan.steps.map((step) => step.agent))].sort((a, b) =>
      a.localeCompare(b, 'en'),
    ),
    effects: plan.steps.map(({ id, effect, undo }) => ({ step: id, effect, undo: undo !== null })),
    leaves: plan.steps.flatMap((step) => {
      const audience = actions.get(step.id)?.audience ?? 'PUBLIC'
      return audience === 'owner' ? [] : [{ step: step.id, audience: audienceText(audience) }]
    }),
    approvals,
    questions,
    estimateMs: {
      p50: criticalPath(plan, levels, durations, 'p50'),
      p95: criticalPath(plan, levels, durations, 'p95'),
    },
    risk: order[highest] ?? 'irreversible',
  }
}

/** A list that is as long as it may be, as many of it at once as a run may have out. */
function roundsOf({ forEach }: CompiledStep): number {
  return forEach === undefined ? 1 : Math.ceil(forEach.max / limits.fanOut)
}

function criticalPath(
  plan: CompiledPlan,
  levels: readonly (readonly string[])[],
  durations: Durations,
  quantile: 'p50' | 'p95',
): number {
  const byId = new Map(plan.steps.map((step) => [step.id, step]))
  const end = new Map<string, number>()
  for (const id of levels.flat()) {
    const step = byId.get(id)
    if (step === undefined) continue
    const started = Math.max(0, ...step.needs.map((need) => end.get(need) ?? 0))
    const took = (durations(`${step.agent}.${step.action}`) ?? guess)[quantile]
    end.set(id, started + took * (quantile === 'p95' ? roundsOf(step) : 1))
  }
  return Math.max(0, ...end.values())
}
