// What a case of the flow rules is, and short words for writing one. Over the catalogue of
// attacker-manifests.ts.

import { compilePlan } from '../../plan/compile.ts'
import type { FlowCode, Issue } from '../../plan/issues.ts'
import { judgePlan, toIssue } from '../../plan/judge-flow.ts'
import { type KnownNames, nobody } from '../../plan/principals.ts'
import { attackedHouse as catalogue } from './attacker-manifests.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface FlowCase {
  readonly wanted: FlowCode | 'ACCEPTED'
  /** The rule asks a person, and refuses nothing. */
  readonly asked?: true
  readonly name: string
  readonly steps: readonly Fields[]
  readonly inputs?: Fields
  readonly names?: KnownNames
  readonly author?: 'person' | 'proposal'
  /** What the user said, for whom somebody proposes. */
  readonly words?: string
  /** Pointer of the step that is to blame; absent: a literal is. */
  readonly source?: string
  /** What the user would write where a value of theirs is wanted. */
  readonly own?: unknown
  /** The same in place of the list of a loop. */
  readonly list?: readonly unknown[]
}

export const from = (reference: string) => ({ $from: reference })
export const text = (template: string, values: Fields) => ({ $text: template, with: values })
export const step =
  (agent: string, action: string) =>
  (id: string, args: Fields, more: Fields = {}) => ({
    ...{ id, agent, action, args },
    ...more,
  })
export const get = step('web', 'get')
export const look = step('desk', 'look')
export const recall = step('web', 'recall')
export const write = step('desk', 'write')
export const mark = step('desk', 'mark')
export const send = step('mail', 'send')
export const keep = step('shelf', 'keep')
export const fetch = step('shelf', 'fetch')
export const glance = step('board', 'glance')
export const inbox = step('mail', 'list')('inbox', { folder: 'inbox' })

export const page = { page: 'x' }
export const bob = { subject: 's', to: ['bob@x.org'] }
export const mine: KnownNames = {
  people: { owner: ['me@home.example'], bob: ['bob@x.org'] },
  places: { office: ['Example Street 1'] },
}
export const when = (reference: string) => ({
  when: { cel: "t == 'y'", with: { t: from(reference) } },
})
export const each = (list: unknown) => ({ forEach: { in: list, as: 'i', max: 5 } })
export const item = (pointer: string) => ({ $item: pointer, as: 'i' })

export function refused(
  wanted: FlowCode,
  name: string,
  steps: readonly Fields[],
  more: Omit<FlowCase, 'wanted' | 'name' | 'steps'> = {},
): FlowCase {
  return { wanted, name, steps, ...more }
}
export function asked(
  wanted: FlowCode,
  name: string,
  steps: readonly Fields[],
  more: Omit<FlowCase, 'wanted' | 'name' | 'steps' | 'asked'> = {},
): FlowCase {
  return { wanted, name, steps, asked: true, ...more }
}
export function passes(
  name: string,
  steps: readonly Fields[],
  more: Partial<FlowCase> = {},
): FlowCase {
  return { wanted: 'ACCEPTED', name, steps, ...more }
}

export interface Told {
  readonly issues: readonly Issue[]
  /** What a person is asked, of a plan without issues. */
  readonly questions: readonly Issue[]
}

/** What the compiler says of the case's plan, by an author and with lists of names of its own. */
export function judgeCase({ steps, inputs, names = nobody, author, words = '' }: FlowCase): Told {
  const plan = {
    version: 1,
    goal: 'a test',
    steps,
    answer: { from: [] },
    ...(inputs && { inputs }),
  }
  const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
  const compiled = compilePlan(plan, { inputs: {}, catalogue, decide, names })
  if (!compiled.ok) return { issues: compiled.issues, questions: [] }
  if (author !== 'proposal') return { issues: [], questions: compiled.report.questions }
  const judged = judgePlan(compiled.plan, catalogue, { names, author, words })
  const { violations, questions } = judged
  return { issues: violations.map(toIssue), questions: questions.map(toIssue) }
}
