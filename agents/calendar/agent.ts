// The calendar agent: ICS files in one folder and a copy of a server's calendars, read and changed. Which
// action does what is in the file of its name, or of what it does to an event; this file only binds them to
// the manifest.

import { nameCollections } from '../dav/sync.ts'
import { defineAgent } from '../define-agent.ts'
import { revertChange } from './change.ts'
import { create } from './create-event.ts'
import { cancel, remove, reschedule, update } from './edit-event.ts'
import { keepingEvents } from './events-kept.ts'
import { find } from './find-event.ts'
import { manifest } from './manifest.ts'
import { findFree, list, search } from './read-actions.ts'
import { respond } from './respond.ts'
import { sync } from './sync-calendars.ts'

export const agent = defineAgent(manifest, {
  list: async (args, context) => list(args, context),
  search: async (args, context) => search(args, context),
  find: async (args, context) => find(args, context),
  find_free: async (args, context) => findFree(args, context),
  create: async (args, context) => create(args, context),
  update: async (args, context) => update(args, context),
  reschedule: async (args, context) => reschedule(args, context),
  delete: async (args, context) => remove(args, context),
  cancel: async (args, context) => cancel(args, context),
  respond: async (args, context) => respond(args, context),
  revert: async (args, context) => revertChange(args, keepingEvents, context),
  sync: async (_args, context) => sync(context),
  collections: async (_args, context) => nameCollections(keepingEvents, context),
})
