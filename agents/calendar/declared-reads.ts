// The looks at calendars that the manifest declares. Data and zod only.

import { z } from 'zod'
import {
  calendarNames,
  chosen,
  clockTime,
  dateText,
  found,
  foundOne,
  minutes,
  moment,
  syncedAt,
  zoneName,
} from './event-shapes.ts'

/** Of every action but those that ask a server. */
export const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 10_000,
} as const

export const reads = {
  list: {
    ...common,
    effect: 'read',
    summary: 'events of one or more days, over all calendars, in the order of the day',
    input: z.strictObject({
      day: z.string().regex(/^(?:today|\d{4}-\d{2}-\d{2})$/),
      days: z.number().int().min(1).max(31).default(1),
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
      query: z.string().max(200).optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    output: z.strictObject({ day: z.string().regex(dateText), ...found }),
    quotes: ['/events'],
    roles: {
      '/day': 'control',
      '/days': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
      '/query': 'content',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: 512 * 1024,
  },
  search: {
    ...common,
    effect: 'read',
    summary: 'events whose title, place or description contains a text',
    input: z.strictObject({
      query: z.string().min(1).max(200),
      from: moment,
      to: moment,
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    output: z.strictObject(found),
    quotes: ['/events'],
    roles: {
      '/query': 'content',
      '/from': 'control',
      '/to': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: 512 * 1024,
  },
  find: {
    ...common,
    effect: 'read',
    summary:
      'the one event at a time or on a day, with a person or a word; else what to choose from',
    input: z.strictObject({
      at: moment,
      with: z.string().min(1).max(200).optional(),
      event: chosen.optional(),
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
    }),
    output: foundOne,
    quotes: ['/event', '/asked', '/candidates', '/nearest'],
    roles: {
      '/at': 'control',
      '/with': 'content',
      '/event': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    maxResultBytes: 32 * 1024,
  },
  find_free: {
    ...common,
    effect: 'read',
    summary: 'stretches without an event that are long enough',
    input: z.strictObject({
      from: moment,
      to: moment,
      durationMinutes: minutes,
      workHours: z.strictObject({ start: clockTime, end: clockTime }).optional(),
      bufferMinutes: z.number().int().min(0).max(1_440).optional(),
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
    }),
    output: z.strictObject({
      timeZone: z.string(),
      syncedAt,
      free: z.array(z.strictObject({ start: z.string(), end: z.string() })),
    }),
    roles: {
      '/from': 'control',
      '/to': 'control',
      '/durationMinutes': 'control',
      '/workHours/start': 'control',
      '/workHours/end': 'control',
      '/bufferMinutes': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    maxResultBytes: 256 * 1024,
  },
} as const
