// What the words of a turn come to, with what was said before it: by the rules, which are told the person's
// own words and plans, and nothing of any answer. Words that the rules do not understand are a model's to
// plan, where one is set up; what it is told of the turns before them, context.ts says.

import { catalogue } from '../../agents/catalogue.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { Priority } from '../../plan/schema.ts'
import { listRecipes, type RecipeFile } from '../../planner/recipes.ts'
import type { Planned } from '../../planner/rules/contract.ts'
import type { EarlierTurn, Understood } from '../../planner/rules/conversation.ts'
import { planFromConversation } from '../../planner/rules/follow-up.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import { type Runnable, toRun } from '../asked-words.ts'
import { goesToModel, type ModelOptions } from '../commands/ask-model.ts'
import { compileRun } from '../commands/run.ts'
import type { Session } from '../session.ts'
import { type AnswerDocument, type ReadTurn, readIfKept } from './turns.ts'

interface Given extends ModelOptions {
  readonly names: KnownNames
  readonly decide: Decide
  readonly priority: Priority
}

/** @throws CommandError where the conversation cannot be read */
export async function understand(
  session: Session,
  { turn, said }: Pick<ReadTurn, 'turn' | 'said'>,
  given: Given,
): Promise<AnswerDocument> {
  const recipes = listRecipes()
  const before = await earlierThan(session, turn)
  const understood = planFromConversation(said.words, {
    recipes,
    now: said.at,
    earlier: before.flatMap(toEarlier),
    changes: ({ agent, action }) => catalogue.get(agent)?.actions[action]?.effect !== 'read',
  })
  const isTold = before.some((one) => isToldOf(one, given))
  return toDocument(understood, said.words, { ...given, recipes, isTold })
}

/** Of the same session. */
async function earlierThan(session: Session, turn: Turn): Promise<readonly ReadTurn[]> {
  const { turns } = await session.assistant.conversation()
  const at = turns.findIndex(({ turnId }) => turnId === turn.turnId)
  const before = turns.slice(0, at).filter((one) => one.session === turn.session)
  const known: ReadTurn[] = []
  for (const one of before) known.push(...(await readIfKept(session, one)))
  return known
}

/** Whether some model may know of it: one of the house of any, a provider's of what models were asked about. */
function isToldOf({ answer: made }: ReadTurn, { models }: Given): boolean {
  const wasForModels = made?.is === 'plan' && made.request.kind === 'text'
  return wasForModels || models.some((model) => model.startsWith('local/'))
}

/** What is shown and kept. What the compiler or the policy would refuse is a refusal. */
export function toDocument(
  { text, planned, refers }: Understood,
  words: string,
  given: Given & {
    readonly recipes: readonly RecipeFile[]
    /** A model would be told of what was said before. */
    readonly isTold: boolean
  },
): AnswerDocument {
  const written = text === words ? {} : { written: text }
  const { names, decide, priority, recipes, isTold } = given
  if ((refers !== true || isTold) && text === words && goesToModel(planned, given)) {
    const request = { kind: 'text', name: 'chat', source: words, inputs: {}, priority } as const
    return { is: 'plan', request }
  }
  if (planned.kind === 'question') {
    return { is: 'question', text: planned.text, options: [...planned.options], ...written }
  }
  if (planned.kind === 'refusal') {
    return { is: 'refusal', reason: planned.reason, text: planned.text }
  }
  const { run, inputs } = toRun(planned, recipes)
  const compiled = compileRun(run, { inputs, names, decide })
  if (!compiled.ok) {
    const why = compiled.issues.map(({ code, path, message }) => `${code} ${path}: ${message}`)
    return { is: 'refusal', reason: 'NO_ACTION', text: why.join('; ').slice(0, mostCharacters) }
  }
  return { is: 'plan', request: { ...run, inputs, priority }, ...written }
}

const mostCharacters = 1_000

/** What a follow-up may refer to; nothing where nothing was made of it. */
export function toEarlier({ turn, said, answer: made }: ReadTurn): readonly EarlierTurn[] {
  const planned = made && toPlanned(made)
  if (made === undefined || planned === undefined) return []
  const text = (made.is === 'refusal' ? undefined : made.written) ?? said.words
  const agreed = turn.status === 'accepted' || turn.status === 'begun'
  return [{ text, planned, now: said.at, agreed }]
}

function toPlanned(made: AnswerDocument): Planned | undefined {
  if (made.is === 'question') return { kind: 'question', text: made.text, options: made.options }
  if (made.is === 'refusal') return { kind: 'refusal', reason: made.reason, text: made.text }
  const { kind, name, source, inputs } = made.request
  if (kind === 'recipe') return { kind, name, inputs }
  // The bytes that toRun wrote; of words nobody knows here what they became.
  return kind === 'plan' ? ({ kind, name, plan: JSON.parse(source) } as Runnable) : undefined
}
