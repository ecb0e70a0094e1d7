// How this agent keeps events, for the code that it shares with the reminders.

import { parseEvent } from './event-properties.ts'
import type { Written } from './event-shapes.ts'
import type { Keeping } from './keeping.ts'
import { calendarsAt, manifest } from './manifest.ts'

export const keepingEvents: Keeping<Written> = {
  component: 'VEVENT',
  folderAt: calendarsAt,
  result: manifest.actions.create.output,
  // A calendar that is not there is a slip of the pen.
  makesFiles: false,
  assertReadable({ file }) {
    for (const segment of file.events) parseEvent(file.calendar, segment)
  },
}
