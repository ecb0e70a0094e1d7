// Every way in which a provider's reply is no answer, and the code for it: one table for all adapters. No
// message quotes a reply, because a provider's error may quote the question. Invariant: `absent` is said
// only where the provider took nothing on, and charges for nothing.

import { ActionFailure } from '../define-agent.ts'
import { longestRetryAfterMs } from '../protocol.ts'

/** What a status says, with the provider's own word for it where it has one. */
export function failureOfStatus(
  status: number,
  { type = '', headers }: { readonly type?: string; readonly headers?: Headers | undefined } = {},
): ActionFailure {
  // OpenAI says 429 of an account without money too; waiting mends nothing.
  if (type === 'insufficient_quota') return unavailable('the account is used up')
  if (type === 'context_length_exceeded') return tooLong()
  switch (status) {
    case 400:
    case 422:
      return new ActionFailure('INVALID_INPUT', 'final', `status ${status}`)
    case 404:
      return new ActionFailure('NOT_FOUND', 'final', 'the provider has no such model')
    case 413:
      return tooLong()
    case 429:
    case 503:
    case 529:
      return overloaded(status, headers)
    default:
      return status === 408 || status >= 500
        ? new ActionFailure('UNAVAILABLE', 'absent', `status ${status}`)
        : unavailable(`status ${status}`)
  }
}

/**
 * What the word of an error says that comes inside of a reply which began well, as the status that goes
 * with it where there is one. OpenAI's and Anthropic's words; Gemini tells the status.
 */
const statusOfWord: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['model_not_found', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/** @param begun whether anything of an answer had come: then it was taken on, and may be charged for */
export function failureInside(
  { status, type, headers }: { status?: number; type: string; headers?: Headers | undefined },
  begun: boolean,
): ActionFailure {
  if (begun) return unavailable('the provider gave up in the middle')
  return failureOfStatus(status ?? statusOfWord.get(type) ?? 500, { type, headers })
}

/** The credential is refused, or what else only a person can settle. */
function unavailable(message: string): ActionFailure {
  return new ActionFailure('UNAVAILABLE', 'final', message)
}

function tooLong(): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', 'more than the model takes')
}

function overloaded(status: number, headers: Headers | undefined): ActionFailure {
  const retryAfterMs = retryAfterOf(headers?.get('retry-after'))
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new ActionFailure('OVERLOADED', 'absent', `status ${status}`, undefined, options)
}

/** RFC 9110, 10.2.3, in seconds; a date is what no provider sends. */
function retryAfterOf(value: string | null | undefined): number | undefined {
  if (value === undefined || value === null || !/^\d{1,6}(?:\.\d{1,3})?$/.test(value)) {
    return undefined
  }
  return Math.min(longestRetryAfterMs, Math.ceil(Number(value) * 1_000))
}

/** The reply is not of the provider's published shape. */
export const notOfTheProvider = () =>
  new ActionFailure('CORRUPT_DATA', 'final', 'the reply is not as its provider publishes it')
/** The model, or who guards it, will not answer this. */
export const declined = () => new ActionFailure('DECLINED', 'final', 'the model declines')
/** It ended at the bound that was set for it, in the middle of a thought. */
export const cutOff = () => new ActionFailure('ANSWER_CUT_OFF', 'final', 'the answer is cut off')
export const empty = () => new ActionFailure('ANSWER_EMPTY', 'final', 'the answer is empty')
/** JSON was wanted, and this is none. */
export const malformed = () =>
  new ActionFailure('ANSWER_MALFORMED', 'final', 'the answer is not JSON')
/** It is JSON, or words, and not what was asked for: another shape, or more than may be. */
export const unfit = (what: string) =>
  new ActionFailure('ANSWER_UNFIT', 'final', `the answer does not fit: ${what}`)
