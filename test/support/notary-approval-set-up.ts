// Plans that a person is asked about, and what the cases of a person's decisions do with them.

import { compileSource } from '../../plan/compile.ts'
import { firingId } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { askingFor, askingHarness, openQuestions, type Saying, say } from '../notary/approvals.ts'
import { catalogue } from '../notary/catalogue.ts'
import type { Harness, Run } from '../notary/harness.ts'
import { erasing } from '../notary/plans.ts'
import { type NotaryCase, notaryCase, outcomeOf, type Reply } from './notary-case.ts'
import { decide } from './policy.ts'

export const week = 7 * 24 * 3_600_000
export const erase = { note: 'daily', dryRun: false }

/** A case with people who can decide, and a rule that asks also about each of these actions. */
export function asked(
  wanted: string,
  name: string,
  attempt: (home: Harness) => Promise<Reply>,
  actions: readonly string[] = [],
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const options = actions.length === 0 ? {} : { decide: askingFor(...actions) }
    const home = await askingHarness(options)
    try {
      return outcomeOf(await attempt(home))
    } finally {
      await home.close()
    }
  })
}

export const admit = (home: Harness, { requestId, plan }: Pick<Run, 'requestId' | 'plan'>) =>
  home.notary.admit('worker', { requestId, plan })

/** A plan that a person is asked about, and the question. */
export async function erasingPlan(home: Harness, requestId = 'r-1', source = erasing) {
  const run = await home.run(source, { requestId, admitted: false })
  await admit(home, run)
  const found = await openQuestions(home)
  const id = found.find((one) => one.requestId === requestId)?.id ?? ''
  return { run, id }
}

export async function approved(home: Harness, saying: Saying = {}, requestId = 'r-1') {
  const { run, id } = await erasingPlan(home, requestId)
  await say(home, id, saying)
  await admit(home, run)
  return { run, id }
}

export const until = (home: Harness, ms: number) => Math.floor((home.clock.time + ms) / 1_000)
export const daily = (home: Harness, count = 2) =>
  ({ per: 'day', count, exp: until(home, 30 * week) }) as const

export function planOf(source: string, rules = decide) {
  const ports = { catalogue, decide: rules }
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, ...ports })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return compiled.plan
}

const nightly = {
  ...{ op: 'add', id: 'tidy', kind: 'plan', name: 'tidy', source: erasing, inputs: {}, note: '' },
  priority: 'MEDIUM',
  spec: toScheduleSpec({ every: '1h', zone: 'UTC' }),
  policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
}

/** Adds it; the id of its question. */
export async function schedule(home: Harness, change: object = {}): Promise<string> {
  home.clock.time = Math.ceil(home.clock.time / 3_600_000) * 3_600_000 + 1_000
  const added = await home.notary.schedule('cli', { ...nightly, ...change })
  return added.status === 'REGISTERED' ? (added.schedule.approval?.id ?? '') : ''
}

/** The next firing, at its time. */
export async function fire(home: Harness, plan = planOf(erasing)) {
  const at = Math.ceil(home.clock.time / 3_600_000) * 3_600_000
  home.clock.time = at
  const requestId = firingId({ schedule: 'tidy', at })
  const reply: Reply = await admit(home, { requestId, plan })
  const call = { requestId, planDigest: digestOf(plan), kind: 'do', iteration: 0 } as const
  return { reply, call }
}
