// The ways in which health data can fail, in one place, so that no message ever quotes what a file
// contains: it names the file's kind and the rule that was broken.

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

/** Nothing of it counts yet, so the same command may run again. */
export function cancelled(): ActionFailure {
  return new ActionFailure('CANCELLED', 'absent', 'the import was stopped before it counted')
}
