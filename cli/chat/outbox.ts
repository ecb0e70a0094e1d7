// What a person has typed and what is still owed to them, as files in their own folder: words that the
// assistant has not taken up yet, and turns whose answer they have not seen. Written before anything else
// happens, so that a command that was killed goes on where it was.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { requestIdPattern } from '../../plan/schema.ts'
import { keepFile, keepFolder } from '../kept-file.ts'

const draftSchema = z.strictObject({
  turnId: z.string().regex(requestIdPattern),
  words: z.string(),
  /** As in a turn's document (temporal/turn-document.ts). */
  at: z.string(),
  zone: z.string(),
  anew: z.literal(true).optional(),
})
/** Words that were typed. */
export type Draft = z.infer<typeof draftSchema>

/** Durable once it returns. */
export function keepDraft(state: string, draft: Draft): void {
  keepFile(fileIn(state, 'outbox', draft.turnId), JSON.stringify(draft))
}

/** As they were typed, the first one first: the id begins with its time. */
export function drafts(state: string): readonly Draft[] {
  return idsIn(state, 'outbox').flatMap((turnId) => {
    try {
      const text = readFileSync(fileIn(state, 'outbox', turnId), 'utf8')
      return [draftSchema.parse(JSON.parse(text))]
    } catch (error) {
      // Another command has sent it meanwhile.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  })
}

export function forgetDraft(state: string, turnId: string): void {
  rmSync(fileIn(state, 'outbox', turnId), { force: true })
}

/** The turn's answer is owed, from before its run begins. */
export function keepUnseen(state: string, turnId: string): void {
  keepFile(fileIn(state, 'unseen', turnId), '')
}

export function isUnseen(state: string, turnId: string): boolean {
  return idsIn(state, 'unseen').includes(turnId)
}

export function forgetUnseen(state: string, turnId: string): void {
  rmSync(fileIn(state, 'unseen', turnId), { force: true })
}

/** What was typed for a turn: the store's word for it is the worker's, who may have been taken over. */
export function keepTyped(state: string, { turnId, words }: Draft): void {
  keepFile(fileIn(state, 'typed', turnId), words)
}

/** Whether these very words were typed for it, here. */
export function hasTyped(state: string, turnId: string, words: string): boolean {
  return typedFor(state, turnId) === words
}

/** Undefined: it was not typed here, or too long ago. */
export function typedFor(state: string, turnId: string): string | undefined {
  return contentOf(state, 'typed', turnId)
}

/** What is registered with the words of a turn of what was before it: once, whatever has happened since. */
export function keepContext(state: string, turnId: string, context: string): void {
  keepFile(fileIn(state, 'context', turnId), context)
}

export function contextFor(state: string, turnId: string): string | undefined {
  return contentOf(state, 'context', turnId)
}

/** Forgets of a kind what is of no other turn than these. */
export function forgetBut(
  state: string,
  kind: 'typed' | 'context',
  kept: ReadonlySet<string>,
): void {
  for (const turnId of idsIn(state, kind)) {
    if (!kept.has(turnId)) rmSync(fileIn(state, kind, turnId), { force: true })
  }
}

type Kind = 'outbox' | 'typed' | 'context' | 'unseen'

function contentOf(state: string, kind: Kind, turnId: string): string | undefined {
  const isKept = idsIn(state, kind).includes(turnId)
  return isKept ? readFileSync(fileIn(state, kind, turnId), 'utf8') : undefined
}

const folderOf = (state: string, kind: Kind) => join(state, 'cli', 'chat', kind)

/** @throws Error where the id, which may come from Temporal, could be a path */
function fileIn(state: string, kind: Kind, turnId: string): string {
  if (!requestIdPattern.test(turnId)) throw new Error('a turn without an id')
  return join(folderOf(state, kind), turnId)
}

function idsIn(state: string, kind: Kind): readonly string[] {
  keepFolder(folderOf(state, kind))
  const files = readdirSync(folderOf(state, kind))
  return files.filter((file) => requestIdPattern.test(file) && !file.endsWith('.tmp')).toSorted()
}
