// Counts what an effect spends, and gives it back when it certainly did not happen. That is said by a
// receipt of a failure before the effect, after which no token can begin it; by a probe of the agent's
// that found nothing; or by a person who looked. A step that was undone has happened, and so has, as far
// as anybody can tell, one whose failure says nothing of it or whose outcome is unknown: they stay
// counted. The hour's rate gives nothing back: a step that fails again and again is what it is for.

import { type Amount, amountsOf } from '../plan/amounts.ts'
import type { AmountFact, Spent } from '../plan/policy.ts'
import { answerCodes } from '../plan/probe.ts'
import { effectUnit } from './budget-state.ts'
import type { Located } from './locate.ts'
import type { ResolvedArgs } from './resolve.ts'
import type { EffectRecord } from './state.ts'
import type { Writer } from './store.ts'

type Spending = Pick<Located, 'request' | 'step' | 'actionName' | 'action' | 'idem'>

function chargeOf({ request, step, idem }: Pick<Spending, 'request' | 'step' | 'idem'>) {
  return { idem, user: request.user, agent: step.agent }
}

function amountsIn({ step, actionName, action }: Spending, args: ResolvedArgs): readonly Amount[] {
  return amountsOf(`${step.agent}.${actionName}`, action, args)
}

/** What the policy is told of budgets: everything before this effect, and what it would add. */
export function budgetFacts(
  { state, now }: Pick<Writer, 'state' | 'now'>,
  located: Spending,
  args: ResolvedArgs,
): { readonly budget: Spent; readonly amounts: readonly AmountFact[] } {
  const charge = chargeOf(located)
  const amounts = amountsIn(located, args).map((one) => ({
    ...one,
    ...state.spentOf(charge, { unit: one.unit, now }),
  }))
  return { budget: state.spentOf(charge, { unit: effectUnit, now }), amounts }
}

/** With the first token of an effect. */
export function countSpending(
  { state, now }: Pick<Writer, 'state' | 'now'>,
  located: Spending,
  args: ResolvedArgs,
): void {
  state.chargeEffect(chargeOf(located), amountsIn(located, args), now)
}

/** Of an outcome that is recorded now; true where something was given back. */
export function giveBack(
  { state }: Pick<Writer, 'state'>,
  effect: Pick<EffectRecord, 'idem' | 'kind' | 'outcome' | 'code' | 'retry' | 'resolved'>,
): boolean {
  return certainlyDidNot(effect) && state.refundEffect(effect.idem)
}

function certainlyDidNot({
  kind,
  outcome,
  code,
  retry,
  resolved,
}: Parameters<typeof giveBack>[1]): boolean {
  if (kind !== 'do' || outcome !== 'failed') return false
  return resolved === null ? retry === 'absent' : code === answerCodes.no
}
