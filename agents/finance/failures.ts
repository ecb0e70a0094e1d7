// The ways a read or an import can fail, in one place, so that no message ever quotes what a statement or
// a journal contains: it names the file and the rule that was broken.

import { ActionFailure } from '../define-agent.ts'

export function corrupt(file: string, what: string): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', `${file}: ${what}`)
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
