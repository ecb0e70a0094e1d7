// The memory agent: what a person wants kept in mind, found by words and by meaning, forgotten by destroying
// its key. store.ts keeps it, word-index.ts and vectors.ts find it, memory.ts joins them; this file binds
// them to the manifest.

import { Temporal } from 'temporal-polyfill'
import { type ActionContext, defineAgent } from '../define-agent.ts'
import { ownZone } from '../own-zone.ts'
import { type EntryId, idOf, type ShownEntry, toShown } from './entry.ts'
import { corrupt, invalid, notThere } from './failures.ts'
import { manifest, memoryAt } from './manifest.ts'
import { type Memory, openMemory } from './memory.ts'
import { fuse } from './recall.ts'
import { parseVector } from './vectors.ts'
import { shorten } from './word-index.ts'

/** Of this process, by folder; there is one outside of tests. Its words are in no file. */
const opened = new Map<string, Memory>()

function memoryOf(context: ActionContext): Memory {
  const folder = context.folder(memoryAt)
  const memory = opened.get(folder) ?? openMemory(folder)
  opened.set(folder, memory)
  return memory
}

export const agent = defineAgent(manifest, {
  remember: async ({ kind, text, source, label, expires, embedding, dryRun }, context) => {
    const id = idOf(context.idem)
    const now = context.now()
    const until = expires === undefined ? null : expiryOf(context, expires)
    if (until !== null && until <= now) throw invalid('expires is over already')
    const vector = embedding?.vector ?? null
    const wanted = {
      ...{ kind, text, label, source: source ?? null, remembered: now, expires: until },
      ...(embedding === undefined || vector === null
        ? {}
        : { embedding: proven(embedding.model, vector) }),
    }
    const kept = memoryOf(context).remember(id, { entry: wanted, dryRun })
    return {
      id,
      before: { entry: null, entries: kept.entries },
      after: { entry: toShown(id, kept.entry), entries: kept.entries + 1 },
      expired: kept.expired,
    }
  },

  retract: async ({ entry, dryRun }, context) => {
    const { there, ...changed } = forget(context, idOf(entry), dryRun)
    return { ...changed, outcome: there ? ('retracted' as const) : ('not-there' as const) }
  },

  forget: async ({ id, dryRun }, context) => {
    const { there, ...changed } = forget(context, id, dryRun)
    if (!there) throw notThere(id)
    return changed
  },

  recall: async ({ query, kinds, limit, embedding }, context) => {
    const vector = embedding?.vector ?? null
    const to =
      embedding === undefined || vector === null ? undefined : parseVector(embedding.model, vector)
    return memoryOf(context).look(context.now(), ({ words, vectors, expired }) => {
      const found = words.search({ query, kinds, limit })
      const among = words.page({ kinds, limit: words.size, after: undefined }).map(({ id }) => id)
      const near = to === undefined ? undefined : vectors.nearest(to, { among, limit })
      const matches = fuse(found, near, limit).flatMap(({ id, snippet, by, similarity }) => {
        const known = words.get(id)
        if (known === undefined) return []
        const shown = snippet ?? shorten(known.entry.text)
        return [{ ...withoutText(toShown(id, known.entry)), snippet: shown, by, similarity }]
      })
      const meaning = near === undefined ? null : { count: near.count, without: near.without }
      return { count: found.count, words: found.words, meaning, matches, expired }
    })
  },

  list: async ({ kinds, limit, after }, context) =>
    memoryOf(context).look(context.now(), ({ words, damaged, expired }) => {
      const from = after === undefined ? undefined : Number(after)
      // One more says whether there is a next page.
      const page = words.page({ kinds, limit: limit + 1, after: from })
      const shown = page.slice(0, limit)
      const entries = shown.map(({ id, entry }) => {
        const whole = toShown(id, entry)
        return { ...whole, text: shorten(whole.text) }
      })
      const next = page.length > limit ? String(shown.at(-1)?.seq) : null
      return { count: words.count(kinds), entries, next, damaged: damaged.slice(0, 20), expired }
    }),

  show: async ({ id }, context) =>
    memoryOf(context).look(context.now(), ({ words, damaged, expired }) => {
      const known = words.get(id)
      if (known !== undefined) return { entry: toShown(id, known.entry), expired }
      if (damaged.includes(id)) throw corrupt(`entry ${id} cannot be read`)
      throw notThere(id)
    }),
})

function forget(context: ActionContext, id: EntryId, dryRun: boolean) {
  const command = { by: idOf(context.idem), now: context.now(), dryRun }
  const { there, before, after, expired } = memoryOf(context).forget(id, command)
  return {
    ...{ id, there, expired },
    before: { there, entries: before },
    after: { there: false, entries: after },
  }
}

/** @throws ActionFailure INVALID_INPUT for what is no vector */
function proven(
  model: string,
  vector: string,
): { readonly model: string; readonly vector: string } {
  parseVector(model, vector)
  return { model, vector }
}

function withoutText({ text: _, ...about }: ShownEntry): Omit<ShownEntry, 'text'> {
  return about
}

/** Milliseconds since the epoch. @throws ActionFailure INVALID_INPUT */
function expiryOf(context: ActionContext, text: string): number {
  try {
    if (text.includes('T')) return Temporal.Instant.from(text).epochMilliseconds
    const day = Temporal.PlainDate.from(text).add({ days: 1 })
    return day.toZonedDateTime(ownZone(context.folder(memoryAt), undefined)).epochMilliseconds
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw invalid('expires is no date and no instant with an offset')
  }
}
