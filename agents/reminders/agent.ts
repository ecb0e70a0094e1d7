// The reminders agent: lists of reminders and timers, read and changed. Which action does what is in
// read-actions.ts and write-actions.ts; this file only binds them to the manifest.

import { isReadable } from '../calendar/keeping.ts'
import { nameCollections, syncCollections } from '../dav/sync.ts'
import { type ActionContext, defineAgent } from '../define-agent.ts'
import { manifest, remindersAt, timerList } from './manifest.ts'
import { list, timers } from './read-actions.ts'
import {
  add,
  cancelTimer,
  complete,
  keepingTodos,
  revert,
  setTimer,
  snooze,
} from './write-actions.ts'

export const agent = defineAgent(manifest, {
  list: async (args, context) => list(args, context),
  timers: async (args, context) => timers(args, context),
  add: async (args, context) => add(args, context),
  complete: async (args, context) => complete(args, context),
  snooze: async (args, context) => snooze(args, context),
  timer_set: async (args, context) => setTimer(args, context),
  timer_cancel: async (args, context) => cancelTimer(args, context),
  revert: async (args, context) => revert(args, context),
  sync: async (_args, context) => sync(context),
  collections: async (_args, context) =>
    nameCollections({ ...keepingTodos, reserved: [timerList] }, context),
})

async function sync(context: ActionContext) {
  const { collections, gone } = await syncCollections(
    {
      folder: context.folder(remindersAt),
      component: keepingTodos.component,
      reserved: [timerList],
      isReadable: (text) => isReadable(text, keepingTodos),
    },
    context,
  )
  return {
    lists: collections.map(({ objects, ...counts }) => ({ ...counts, reminders: objects })),
    gone: [...gone],
  }
}
