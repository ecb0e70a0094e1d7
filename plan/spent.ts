// What an effect did spend, where its action's result says so: the manifest names, for an amount that is
// reserved before the effect, the number of the result that says what it came to. Both count in one unit,
// which the arguments alone would not tell afterwards: so the amount has no currency and is the only one of
// its unit. Pure. What an agent says of itself is its own word; who counts by it bounds what that can do.

import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import { isOf, unitOf } from './amounts.ts'
import type { JsonSchema } from './json-schema.ts'
import { limits } from './limits.ts'
import type { ActionManifest } from './manifest.ts'
import { followPointer, parsePointer } from './pointer.ts'

type Spending = Pick<ActionManifest, 'roles' | 'currencies' | 'units' | 'spent'>

/** What is wrong with the declaration; undefined when nothing is. @param name `agent.action` */
export function faultOfSpent(
  name: string,
  action: Spending & Pick<ActionManifest, 'effect'>,
  { input, output }: { readonly input: JsonSchema; readonly output: JsonSchema },
): string | undefined {
  const { roles, currencies = {}, spent = {} } = action
  const amounts = Object.keys(roles).filter((pointer) => roles[pointer] === 'amount')
  for (const [pointer, said] of Object.entries(spent)) {
    if (action.effect === 'read') return 'says what a read spends, of which nothing is counted'
    if (!amounts.includes(pointer)) return `says what ${pointer} came to, which is no amount`
    if (Object.hasOwn(currencies, pointer)) return `says what ${pointer} came to, in any currency`
    if (hasMany(pointer) || hasMany(said)) return `says what ${pointer} came to, of many`
    const unit = unitOf(name, action, pointer)
    const shared = amounts.some((one) => one !== pointer && unitOf(name, action, one) === unit)
    if (shared) return `says what ${pointer} came to, which is not all of its unit`
    if (!isOf(input, pointer, 'integer')) return `reserves ${pointer} in fractions`
    if (!isOf(output, said, 'integer')) return `says what ${pointer} came to in ${said}, no number`
  }
  return undefined
}

const hasMany = (pointer: string) => (parsePointer(pointer) ?? ['*']).includes('*')

export interface Spent {
  readonly unit: string
  /** Whole and never negative. */
  readonly amount: number
}

/**
 * What the result says; nothing of what it does not say as a whole number from zero on.
 *
 * @param name `agent.action`
 * @param result the agent's exact bytes, as its receipt hashes them
 */
export function spentIn(name: string, action: Spending, result: string): readonly Spent[] {
  const value = parsed(result)
  return Object.entries(action.spent ?? {}).flatMap(([pointer, said]) => {
    const amount = value && followPointer(value, parsePointer(said) ?? [])
    if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0) return []
    return [{ unit: unitOf(name, action, pointer), amount }]
  })
}

function parsed(text: string) {
  try {
    return parseStrictJson(text, { maxBytes: limits.resultBytes, maxDepth: limits.jsonDepth })
  } catch (error) {
    if (error instanceof StrictJsonError) return undefined
    throw error
  }
}
