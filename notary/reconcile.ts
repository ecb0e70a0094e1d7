// What was reserved for an effect is lowered to what it did spend, once its result says so. The result is
// the agent's word, and a receipt proves no more than that it is: an agent that was taken over could say
// nothing was spent, and be given the day's budget again and again. So a share of what was reserved stays
// counted whatever is said, and nothing is lowered where another token of the effect may have spent as well.
// Never raised: more than was reserved is a finding about the agent, not a charge that no rule was asked of.

import { limits } from '../plan/limits.ts'
import { spentIn } from '../plan/spent.ts'
import type { Located } from './locate.ts'
import type { Writer } from './store.ts'

/** What the row of the outcome says of it; never an amount. */
export type Spending = 'lowered' | 'exceeded'

/**
 * Inside the transaction that settles the effect, which happens once.
 * @param result exact bytes that the effect's genuine receipt hashes
 */
export function reconcile(
  { state }: Pick<Writer, 'state'>,
  { step, actionName, action, address, idem }: Located,
  result: string,
): Spending | undefined {
  if (address.kind !== 'do') return undefined
  // A token that is not known to have done nothing may have had the agent spend as much before.
  const begun = state.runTokens(idem).filter(({ answered }) => answered !== 2)
  const said = spentIn(`${step.agent}.${actionName}`, action, result)
  const became = said.map(({ unit, amount }): Spending | undefined => {
    const reserved = state.chargedFor(idem, unit)
    if (reserved === undefined) return undefined
    if (amount > reserved) return 'exceeded'
    if (begun.length > 1) return undefined
    const least = Math.ceil(reserved / limits.leastSpentShare)
    return state.lowerCharge(idem, unit, Math.max(least, amount)) ? 'lowered' : undefined
  })
  return became.find((one) => one === 'exceeded') ?? became.find((one) => one === 'lowered')
}
