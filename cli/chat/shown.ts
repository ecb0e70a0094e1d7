// A conversation in words: what was said, what it was taken for, and what became of it.

import type { Option } from '../../planner/rules/contract.ts'
import { sayOf } from '../../planner/rules/follow-up-answers.ts'
import { type RunDocument, runLines } from '../run-view.ts'
import type { ReadTurn } from './turns.ts'

export const helpLines = [
  'say what you want, as with `npx bulkhead ask`, and go on from there:',
  '  what does tomorrow look like',
  '  and the day after?',
  '  put it in my notes',
  'a plan is run when you say yes; anything else you type takes its place',
  '  /new    what was said before is not referred to any more',
  '  /help   this',
  '  /quit   leave; what runs goes on, and so does the conversation',
]

export function questionLines(text: string, options: readonly Option[]): readonly string[] {
  return [text, ...options.map((option, at) => `  ${at + 1}  ${sayOf(option)}`)]
}

/** A turn, and what its words stood for where they were no request by themselves. */
export function turnLine({ turn, said, answer }: ReadTurn): string {
  const written = answer === undefined || answer.is === 'refusal' ? undefined : answer.written
  const taken = written === undefined ? '' : ` (${written})`
  return `${turn.turnId}  ${turn.status}  ${JSON.stringify(said.words)}${taken}`
}

export function answerLines(run: RunDocument): readonly string[] {
  if (run.status !== 'completed') return runLines(run)
  const audit = run.audit.verified ? 'audit verified' : 'audit NOT VERIFIED'
  const answer = run.answer === null ? [] : [run.answer.trimEnd(), '']
  return [...answer, `${run.requestId}: completed, ${audit}`]
}
