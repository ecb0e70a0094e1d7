// Which day it is for the person whose money it is: a file `timezone` in the folder names their zone, as in
// those of the other agents; without one it is the day in UTC.

import { Temporal } from 'temporal-polyfill'
import { readStored } from '../data-folder.ts'
import type { ActionContext } from '../define-agent.ts'
import type { DateText } from './dates.ts'
import { corrupt } from './failures.ts'
import { financeAt } from './places.ts'

const zoneFile = 'timezone'

/** @throws ActionFailure CORRUPT_DATA when the file names no zone */
export function todayOf(context: ActionContext): DateText {
  const bytes = readStored(context.folder(financeAt), zoneFile, 1_024)?.bytes
  const timeZone = bytes === undefined ? 'UTC' : bytes.toString('utf8').trim()
  return dayIn(timeZone, context.now())
}

function dayIn(timeZone: string, now: number): DateText {
  // An offset such as `+01:00` is no zone: it follows no change of clocks.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(timeZone)) throw noZone()
  try {
    const at = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
    return at.toPlainDate().toString()
  } catch {
    throw noZone()
  }
}

const noZone = () => corrupt(zoneFile, 'is not the name of a time zone')
