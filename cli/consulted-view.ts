// The models that a run in words asked for its plan, as a person sees them. Pure.

import type { LeftOutReason } from '../planner/router.ts'
import type { ConsultedModel } from '../workflows/consult-contract.ts'
import type { RunState } from '../workflows/contract.ts'
import { progressWords } from './progress-words.ts'

const leftOutWords: Readonly<Record<LeftOutReason, string>> = {
  NO_CAPABILITY: 'it has vectors and no words',
  NOT_OF_THE_HOUSE: 'its server passes questions on',
  NOT_FOR_PRIVATE: 'something in the question is not for its provider',
  NO_PRICE: 'nobody knows what it costs now',
  TOO_LONG: 'it may be answered at more length than it has: lower its maxOutputTokens',
  TOO_DEAR: 'the question could cost more than its maxMicroUsd',
  OVER_BUDGET: 'the day or the month has no room for it',
}

/** `+ asked anthropic/claude-haiku-5-5  answered  run ask-1:propose-1-0` */
export function consultedLine(consulted: ConsultedModel): string {
  const { label, status, code, requestId, progress } = consulted
  if (status === 'left-out') {
    const words = Object.entries(leftOutWords).find(([reason]) => reason === code)?.[1]
    return `- left out ${label}  ${words ?? 'it would be asked in vain'} (${code ?? ''})`
  }
  const mark = { running: '>', answered: '+', failed: 'x' }[status]
  const why = code === undefined ? '' : ` (${code})`
  const far = progress === undefined ? '' : `, ${progressWords(progress)}`
  return `${mark} asked ${label}  ${status}${why}${far}  run ${requestId}`
}

/** Those that changed between two states, as lines. */
export function changedModels(before: RunState | undefined, after: RunState): readonly string[] {
  const known = new Set(before?.consulted?.map(consultedLine))
  return (after.consulted ?? []).map(consultedLine).filter((line) => !known.has(line))
}
