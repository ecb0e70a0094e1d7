// The ways a calendar can fail, in one place, so that no message ever quotes what a file contains:
// it names the calendar and the rule that was broken.

import { ActionFailure } from '../define-agent.ts'

export function corrupt(calendar: string, what: string): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', `calendar ${calendar}: ${what}`)
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

/** On a server, with others in it: for actions that ask a person first. */
export function tellsOthers(): ActionFailure {
  return new ActionFailure('TELLS_OTHERS', 'ask', 'the server may mail the others who take part')
}

/** Somebody else changed it: whoever asked must look again before anything happens. */
export function conflict(what: string): ActionFailure {
  return new ActionFailure('CONFLICT', 'ask', what)
}
