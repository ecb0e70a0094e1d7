// The calendar agent: ICS files in one folder, read and changed. Which action does what is in
// read-actions.ts, create-event.ts, edit-event.ts and change.ts; this file only binds them to the manifest.

import { defineAgent } from '../define-agent.ts'
import { revertChange } from './change.ts'
import { create } from './create-event.ts'
import { remove, update } from './edit-event.ts'
import { manifest } from './manifest.ts'
import { find, findFree, list } from './read-actions.ts'

export const agent = defineAgent(manifest, {
  list: async (args, context) => list(args, context),
  find: async (args, context) => find(args, context),
  find_free: async (args, context) => findFree(args, context),
  create: async (args, context) => create(args, context),
  update: async (args, context) => update(args, context),
  delete: async (args, context) => remove(args, context),
  revert: async (args, context) => revertChange(args, context),
})
