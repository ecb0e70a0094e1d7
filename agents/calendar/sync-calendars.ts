// sync: the copies of the server's calendars, brought up to date.

import { syncCollections } from '../dav/sync.ts'
import type { ActionContext } from '../define-agent.ts'
import { keepingEvents } from './events-kept.ts'
import { isReadable } from './keeping.ts'
import { calendarsAt } from './manifest.ts'

export async function sync(context: ActionContext) {
  const { collections, gone } = await syncCollections(
    {
      folder: context.folder(calendarsAt),
      component: keepingEvents.component,
      isReadable: (text) => isReadable(text, keepingEvents),
    },
    context,
  )
  return {
    calendars: collections.map(({ objects, ...counts }) => ({ ...counts, events: objects })),
    gone: [...gone],
  }
}
