// Carries out one change of one event, once. Order: the journal entry, then the calendar, then the
// entry again. After a crash at any point, the entry and the event's present text together say what
// happened; where they do not, because somebody else changed the event meanwhile, a person is asked.

import { peekStored, replaceStored } from '../data-folder.ts'
import type { ActionContext } from '../define-agent.ts'
import { conflict, invalid, tooMuch } from './failures.ts'
import { fileNameOf, type OpenCalendar, openCalendar, openText, remoteCalendar } from './folder.ts'
import { emptyObject, groupTexts, icsLimits, withGroup } from './ics-text.ts'
import { type PlannedChange, readEntry, uidOf, writeEntry } from './journal.ts'
import {
  type Keeping,
  notApplied,
  type Reverted,
  type RevertInput,
  reverted,
  type Shown,
} from './keeping.ts'
import { makeRemoteChange, revertRemote } from './remote-change.ts'

export interface ChangeInput {
  readonly calendar: string
  /** Of the event; absent for a new one. */
  readonly uid?: string
  readonly dryRun: boolean
  /** True for actions that a person is asked about alone: a server may mail the others in it. */
  readonly mayTell?: boolean
}

/** @throws ActionFailure */
export async function makeChange<Result>(
  input: ChangeInput & { readonly keeping: Keeping<Result> },
  context: ActionContext,
  plan: (open: OpenCalendar) => PlannedChange<Result>,
): Promise<Result> {
  const { calendar, dryRun, keeping, mayTell = false } = input
  const folder = context.folder(keeping.folderAt)
  const mirror = remoteCalendar(folder, calendar)
  if (mirror !== undefined) {
    const uid = input.uid ?? uidOf(context.idem)
    const change = { calendar, uid, dryRun, mayTell, folder, mirror, keeping }
    return makeRemoteChange(change, context, plan)
  }
  const open = openOrNew(folder, calendar, keeping)
  const earlier = readEntry(folder, context.idem)
  if (earlier !== undefined) {
    const current = groupTexts(open.file, earlier.uid)
    if (earlier.applied) return keeping.result.parse(earlier.result)
    if (same(current, earlier.after)) {
      if (!dryRun) writeEntry(folder, context.idem, { ...earlier, applied: true })
      return keeping.result.parse(earlier.result)
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

function openOrNew<Result>(
  folder: string,
  calendar: string,
  { component, makesFiles }: Keeping<Result>,
): OpenCalendar & { readonly isNew?: true } {
  if (isThere(folder, calendar) || !makesFiles) return openCalendar(folder, calendar, component)
  return { ...openText(calendar, emptyObject, { component }), isNew: true }
}

function isThere(folder: string, calendar: string): boolean {
  return peekStored(folder, fileNameOf(calendar), 1) !== undefined
}

/** @throws ActionFailure */
export async function revertChange<Details>(
  { calendar, change, dryRun }: RevertInput,
  keeping: Keeping<Shown<Details>>,
  context: ActionContext,
): Promise<Reverted<Details>> {
  const folder = context.folder(keeping.folderAt)
  const entry = readEntry(folder, change)
  const mirror = remoteCalendar(folder, calendar)
  if (entry?.place !== undefined || mirror !== undefined) {
    return revertRemote({ calendar, change, dryRun, folder, mirror, entry, keeping }, context)
  }
  if (entry === undefined && keeping.makesFiles && !isThere(folder, calendar)) {
    return notApplied(calendar, null)
  }
  const open = openCalendar(folder, calendar, keeping.component)
  if (entry === undefined) {
    if (groupTexts(open.file, uidOf(change)).length > 0)
      throw conflict('the journal of that change is gone')
    return notApplied(calendar, null)
  }
  if (entry.calendar !== calendar) throw invalid('that change was of another calendar')
  const current = groupTexts(open.file, entry.uid)
  if (same(current, entry.before)) {
    return entry.applied ? reverted(entry, keeping) : notApplied(calendar, entry.uid)
  }
  if (!same(current, entry.after)) throw conflict('the event was changed since')
  if (!dryRun) replaceGroup(folder, open, { uid: entry.uid, texts: entry.before })
  return reverted(entry, keeping)
}

function replaceGroup(
  folder: string,
  open: OpenCalendar & { readonly isNew?: true },
  { uid, texts }: Pick<PlannedChange<unknown>, 'uid' | 'texts'>,
): void {
  const { calendar } = open.file
  const bytes = Buffer.from(withGroup(open.file, uid, texts))
  if (bytes.length > icsLimits.fileBytes) throw tooMuch(`calendar ${calendar} would be too large`)
  const expected = open.isNew === true ? undefined : open.bytes
  replaceStored({ folder, name: fileNameOf(calendar), expected, bytes })
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index])
}
