// When a recipe suggests to be run: the words that `schedule add` takes, without a zone, because a recipe
// does not know where anybody lives. Pure. A suggestion enables nothing.

import { z } from 'zod'
import { type ScheduleWords, ScheduleWordsError, toScheduleSpec } from './schedule-words.ts'

/** `{ at: '07:30' }`, `{ at: '18:00', days: 'sun' }`, `{ cron: '0 4 1 * *' }`, `{ every: '15m' }`. */
export type SuggestedSchedule = Omit<ScheduleWords, 'zone'>

const words = z.string().max(100).optional()

export const suggestedScheduleSchema = z
  .strictObject({ at: words, days: words, cron: words, every: words })
  .superRefine((suggestion, context) => {
    try {
      toScheduleSpec({ ...suggestion, zone: 'UTC' })
    } catch (error) {
      if (!(error instanceof ScheduleWordsError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
    }
  })

/** As a person reads it: `mon-fri at 07:30`. */
export function suggestionWords({ at, days, cron, every }: SuggestedSchedule): string {
  if (at !== undefined) return `${days ?? 'every day'} at ${at}`
  return every === undefined ? `by the line of cron "${cron}"` : `every ${every}`
}
