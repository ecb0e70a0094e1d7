// Hop 9: renders the answer that the plan describes from the results it names, as inert text: no
// character in it can move a terminal's cursor or turn the reading order, whatever an agent sent.
// Does not judge what the text says; where it comes from is in the audit.

import { renderAnswer } from '../plan/answer.ts'
import { absentResult } from '../plan/loops.ts'
import type { PlanAnswer } from '../plan/schema.ts'
import { TextError } from '../plan/text.ts'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { Composed, NamedActivities } from '../workflows/contract.ts'
import type { ArtifactStore } from './artifacts.ts'
import { AttemptFailure } from './failure.ts'
import type { PlanStore } from './plan-store.ts'
import { isProductOf } from './read-sources.ts'

export interface ComposeDeps {
  readonly artifacts: ArtifactStore
  readonly plans: PlanStore
  readonly now: () => number
}

/** What one message to the reader can carry beside its envelope, with room for JSON's escapes. */
const maxCharacters = 256 * 1024

/** @throws AttemptFailure, ArtifactError */
export async function composeAnswer(
  input: Parameters<NamedActivities['composeAnswer']>[0],
  { artifacts, plans, now }: ComposeDeps,
): Promise<Composed> {
  const { requestId, sources } = input
  const { plan, steps, readers } = await plans.load(input)
  const wanted = new Set(plan.answer.from)
  const results = new Map<string, JsonValue>()
  for (const { step, ref } of sources) {
    if (ref === null || !wanted.has(step)) continue
    const { bytes, meta } = await artifacts.get(ref)
    if (!isProductOf(meta, { requestId, step, producer: steps.get(step) })) {
      throw new AttemptFailure('PLAN_MISMATCH')
    }
    results.set(step, JSON.parse(Buffer.from(bytes).toString('utf8')))
  }
  const resultOf = (step: string) => results.get(step) ?? absentResult(steps.get(step))
  const text = toInertText(render(plan.answer, resultOf))
  const answerRef = await artifacts.put(Buffer.from(text), {
    kind: 'answer',
    requestId,
    readers: [...readers],
    createdAt: now(),
  })
  return text.trim() === '' ? { answerRef, isEmpty: true } : { answerRef }
}

function render(answer: PlanAnswer, resultOf: (step: string) => JsonValue): string {
  try {
    return renderAnswer(answer, resultOf)
  } catch (error) {
    // The steps have done what was asked; that their answer is too long does not undo them.
    if (error instanceof TextError) return '[the answer is too long to show]'
    throw error
  }
}

/** Control characters but line feed and tab, and what embeds, overrides or isolates directions. */
const active = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

export function toInertText(text: string): string {
  const inert = text.toWellFormed().replace(/\r\n/g, '\n').replace(active, '')
  return inert.length <= maxCharacters ? inert : `${inert.slice(0, maxCharacters)}\n[cut]`
}
