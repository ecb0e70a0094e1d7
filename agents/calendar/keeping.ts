// What calendars and reminders have in common, and what tells them apart: both are components of an ICS
// file or of an object on a server.

import type { z } from 'zod'
import type { Component } from '../dav/server.ts'
import { ActionFailure } from '../define-agent.ts'
import { type OpenCalendar, openText } from './folder.ts'
import type { JournalEntry } from './journal.ts'

/** Where components of one kind are kept, and how one agent gives the result of a write. */
export interface Keeping<Result> {
  readonly component: Component
  /** The mount, as the manifest writes it. */
  readonly folderAt: string
  readonly result: z.ZodType<Result>
  /** A file that is missing is made by the first thing that is put into it. */
  readonly makesFiles: boolean
  /** @throws ActionFailure for an object that would make a command fail that reads it */
  assertReadable(open: OpenCalendar): void
}

/** False for what a stranger's program wrote that nobody can mend on the server: there is no copy of it. */
export function isReadable(
  text: string,
  { component, assertReadable }: Pick<Keeping<unknown>, 'component' | 'assertReadable'>,
): boolean {
  try {
    assertReadable(openText('server', text, { component }))
    return true
  } catch (error) {
    if (error instanceof ActionFailure) return false
    throw error
  }
}

/** What a write shows of the event. */
export interface Shown<Details> {
  readonly before: Details | null
  readonly after: Details | null
}

/** Of a revert: as the change showed it, the other way around; null where it was never made. */
export interface Reverted<Details> extends Shown<Details> {
  readonly calendar: string
  readonly uid: string | null
  readonly outcome: 'reverted' | 'not-applied'
}

export function notApplied(calendar: string, uid: string | null): Reverted<never> {
  return { calendar, uid, outcome: 'not-applied', before: null, after: null }
}

/** That a change is taken back. */
export function reverted<Details>(
  { calendar, uid, result }: JournalEntry,
  keeping: Pick<Keeping<Shown<Details>>, 'result'>,
): Reverted<Details> {
  const { before, after } = keeping.result.parse(result)
  return { calendar, uid, outcome: 'reverted', before: after, after: before }
}

export interface RevertInput {
  readonly calendar: string
  /** The `idem` of the step that is taken back. */
  readonly change: string
  readonly dryRun: boolean
}
