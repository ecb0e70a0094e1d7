// Carries out one change of one event, once. Order: the journal entry, then the calendar, then the
// entry again. After a crash at any point, the entry and the event's present text together say what
// happened; where they do not, because somebody else changed the event meanwhile, a person is asked.

import type { z } from 'zod'
import { replaceStored } from '../data-folder.ts'
import type { ActionContext } from '../define-agent.ts'
import { conflict, invalid, tooMuch } from './failures.ts'
import { fileNameOf, type OpenCalendar, openCalendar } from './folder.ts'
import { groupTexts, icsLimits, withGroup } from './ics-text.ts'
import { readEntry, writeEntry } from './journal.ts'
import { calendarsAt, type manifest } from './manifest.ts'

export type Written = z.infer<(typeof manifest.actions.create)['output']>
export type Reverted = z.infer<(typeof manifest.actions.revert)['output']>

export interface PlannedChange {
  readonly uid: string
  /** The event's components as they shall be; none deletes it. */
  readonly texts: readonly string[]
  readonly result: Written
}

export interface ChangeInput {
  readonly calendar: string
  readonly dryRun: boolean
}

/** @throws ActionFailure */
export function makeChange(
  { calendar, dryRun }: ChangeInput,
  context: ActionContext,
  plan: (open: OpenCalendar) => PlannedChange,
): Written {
  const folder = context.folder(calendarsAt)
  const open = openCalendar(folder, calendar)
  const earlier = readEntry(folder, context.idem)
  if (earlier !== undefined) {
    const current = groupTexts(open.file, earlier.uid)
    if (earlier.applied) return earlier.result
    if (same(current, earlier.after)) {
      if (!dryRun) writeEntry(folder, context.idem, { ...earlier, applied: true })
      return earlier.result
    }
    if (!same(current, earlier.before)) {
      throw conflict('the event was changed since; whether by this command cannot be told')
    }
  }
  const { uid, texts, result } = plan(open)
  if (dryRun) return result
  const entry = { calendar, uid, before: groupTexts(open.file, uid), after: [...texts], result }
  writeEntry(folder, context.idem, { ...entry, applied: false })
  replaceGroup(folder, open, { uid, texts })
  writeEntry(folder, context.idem, { ...entry, applied: true })
  return result
}

/** The UID that `create` gives, so that an event says which command made it. */
export function uidOf(idem: string): string {
  return `${idem}@bulkhead`
}

/** @throws ActionFailure */
export function revertChange(
  { calendar, change, dryRun }: ChangeInput & { readonly change: string },
  context: ActionContext,
): Reverted {
  const folder = context.folder(calendarsAt)
  const open = openCalendar(folder, calendar)
  const entry = readEntry(folder, change)
  if (entry === undefined) {
    if (groupTexts(open.file, uidOf(change)).length > 0)
      throw conflict('the journal of that change is gone')
    return { calendar, uid: null, outcome: 'not-applied' }
  }
  if (entry.calendar !== calendar) throw invalid('that change was of another calendar')
  const current = groupTexts(open.file, entry.uid)
  if (same(current, entry.before)) {
    return { calendar, uid: entry.uid, outcome: entry.applied ? 'reverted' : 'not-applied' }
  }
  if (!same(current, entry.after)) throw conflict('the event was changed since')
  if (!dryRun) replaceGroup(folder, open, { uid: entry.uid, texts: entry.before })
  return { calendar, uid: entry.uid, outcome: 'reverted' }
}

function replaceGroup(
  folder: string,
  open: OpenCalendar,
  { uid, texts }: Pick<PlannedChange, 'uid' | 'texts'>,
): void {
  const { calendar } = open.file
  const bytes = Buffer.from(withGroup(open.file, uid, texts))
  if (bytes.length > icsLimits.fileBytes) throw tooMuch(`calendar ${calendar} would be too large`)
  replaceStored({ folder, name: fileNameOf(calendar), expected: open.bytes, bytes })
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index])
}
