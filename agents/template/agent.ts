// The template agent: short texts in one file of its folder. Invariant: a command that is repeated finds
// its own effect id in the file and changes nothing.

import { z } from 'zod'
import { readStored, replaceStored } from '../data-folder.ts'
import { ActionFailure, defineAgent } from '../define-agent.ts'
import { dataAt, manifest } from './manifest.ts'

/** More belongs into something that pages. */
const maxItems = 1_000
const maxFileBytes = 4 * 1024 * 1024
const fileName = 'items.json'

/** The latest last. */
const itemsSchema = z.array(z.strictObject({ id: z.string(), text: z.string() })).max(maxItems)
type Items = z.infer<typeof itemsSchema>

export const agent = defineAgent(manifest, {
  add: async ({ text, dryRun }, context) => {
    const { items, bytes } = readItems(context.folder(dataAt))
    const others = items.filter(({ id }) => id !== context.idem)
    const added = { id: context.idem, itemsBefore: others.length, itemsAfter: others.length + 1 }
    if (others.length < items.length || dryRun) return added
    if (items.length >= maxItems) {
      throw new ActionFailure('LIMIT_EXCEEDED', 'absent', `more than ${maxItems} texts`)
    }
    writeItems(context.folder(dataAt), bytes, [...items, { id: context.idem, text }])
    return added
  },

  remove: async ({ id, dryRun }, context) => {
    const { items, bytes } = readItems(context.folder(dataAt))
    const others = items.filter((item) => item.id !== id)
    const counts = { itemsBefore: items.length, itemsAfter: others.length }
    if (others.length === items.length) return { outcome: 'not-there' as const, ...counts }
    if (!dryRun) writeItems(context.folder(dataAt), bytes, others)
    return { outcome: 'removed' as const, ...counts }
  },

  list: async ({ limit }, context) => {
    const { items } = readItems(context.folder(dataAt))
    return { count: items.length, items: items.toReversed().slice(0, limit) }
  },
})

/** @throws ActionFailure CORRUPT_DATA when the file was edited into something else */
function readItems(folder: string): { readonly items: Items; readonly bytes: Buffer | undefined } {
  const bytes = readStored(folder, fileName, maxFileBytes)?.bytes
  if (bytes === undefined) return { items: [], bytes }
  try {
    return { items: itemsSchema.parse(JSON.parse(bytes.toString('utf8'))), bytes }
  } catch (cause) {
    throw new ActionFailure('CORRUPT_DATA', 'final', `${fileName} was edited`, cause)
  }
}

/** No items, no file: an undo gives back the folder as it was. */
function writeItems(folder: string, expected: Buffer | undefined, items: Items): void {
  const bytes = items.length === 0 ? undefined : Buffer.from(`${JSON.stringify(items)}\n`)
  replaceStored({ folder, name: fileName, expected, bytes })
}
