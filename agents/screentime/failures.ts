// The ways a question about use can fail. No message quotes what a record contains.

import { ActionFailure } from '../define-agent.ts'

export function corrupt(what: string, cause?: unknown): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', what, cause)
}

export function tooMuch(what: string): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', what)
}

export function invalid(what: string): ActionFailure {
  return new ActionFailure('INVALID_INPUT', 'final', what)
}

export function notFound(what: string): ActionFailure {
  return new ActionFailure('NOT_FOUND', 'final', what)
}
