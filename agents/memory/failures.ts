// The ways in which memory can fail, in one place. No message quotes an entry.

import { ActionFailure } from '../define-agent.ts'
import { sqliteFault } from '../sqlite.ts'

export function corrupt(what: string, cause?: unknown): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', what, cause)
}

export function tooMuch(what: string): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', what)
}

export function invalid(what: string): ActionFailure {
  return new ActionFailure('INVALID_INPUT', 'final', what)
}

export function notThere(id: string): ActionFailure {
  return new ActionFailure('NOT_FOUND', 'final', `no entry ${id}`)
}

/** What SQLite, or the system that creates its files, says is wrong. Nothing has changed then. */
export function toFailure(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return full(error)
  switch (sqliteFault(error)) {
    case undefined:
      return error
    case 'full':
      return full(error)
    case 'corrupt':
      return corrupt('a file of the memory is damaged', error)
    case 'other':
      return new ActionFailure('UNAVAILABLE', 'absent', 'the memory cannot be used', error)
  }
}

function full(cause: unknown): ActionFailure {
  return new ActionFailure('STORAGE_FULL', 'absent', 'no space for the memory', cause)
}
