// How an entry stands in a note: between two HTML comments that carry its effect id. Invariant: taking
// out an entry that was put in gives back the same bytes, and no text can end an entry or begin
// another, because a comment cannot be opened inside one. Works on bytes held as Latin-1 text, so that
// what a person wrote stays as it is in any encoding that extends ASCII. Pure.

/** A note's bytes, one character each. */
export type NoteBytes = string

export interface Entry {
  /** Offsets of the whole block, the line breaks put before it included. */
  readonly start: number
  readonly end: number
  /** The note did not exist before this entry. */
  readonly created: boolean
}

export type EntrySearch =
  | { readonly kind: 'found'; readonly entry: Entry }
  | { readonly kind: 'missing' }
  /** A person edited the markers: begun but not ended, or begun twice. */
  | { readonly kind: 'damaged' }

/** Lines that only this agent writes; readers of notes leave them out. */
export const markerLine = /^<!-- \/?bulkhead:entry [^\n]*-->$/

/**
 * The note with the entry at its end, and the block that was added.
 * @param note undefined when there is no such note yet
 */
export function withEntry(note: NoteBytes | undefined, id: string, text: string): NoteBytes {
  const before = note ?? ''
  const lead = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  const attributes = `lead=${lead.length}${note === undefined ? ' new' : ''}`
  const body = Buffer.from(inert(text), 'utf8').toString('latin1')
  return `${before}${lead}<!-- bulkhead:entry ${id} ${attributes} -->\n${body}\n<!-- /bulkhead:entry ${id} -->\n`
}

/** Finds an entry by its id, wherever in the note it stands now. */
export function findEntry(note: NoteBytes, id: string): EntrySearch {
  const opening = `<!-- bulkhead:entry ${id} `
  const at = lineStart(note, opening, 0)
  if (at === -1) return { kind: 'missing' }
  const attributes = /^lead=([0-2])( new)? -->\r?\n/.exec(
    note.slice(at + opening.length, at + opening.length + 32),
  )
  const closing = `<!-- /bulkhead:entry ${id} -->`
  const closed = lineStart(note, closing, at)
  if (attributes === null || closed === -1 || lineStart(note, opening, at + 1) !== -1) {
    return { kind: 'damaged' }
  }
  const afterClosing = /^\r?\n?/.exec(
    note.slice(closed + closing.length, closed + closing.length + 2),
  )
  return {
    kind: 'found',
    entry: {
      start: at - breaksBefore(note, at, Number(attributes[1])),
      end: closed + closing.length + (afterClosing?.[0].length ?? 0),
      created: attributes[2] !== undefined,
    },
  }
}

/** The note without that entry. */
export function withoutEntry(note: NoteBytes, entry: Entry): NoteBytes {
  return note.slice(0, entry.start) + note.slice(entry.end)
}

function lineStart(note: NoteBytes, text: string, from: number): number {
  for (let at = note.indexOf(text, from); at !== -1; at = note.indexOf(text, at + 1)) {
    if (at === 0 || note[at - 1] === '\n') return at
  }
  return -1
}

/** Only line breaks, and only as many as were put there: a person may have removed them since. */
function breaksBefore(note: NoteBytes, at: number, added: number): number {
  let count = 0
  while (count < added && note[at - 1 - count] === '\n') count += 1
  return count
}

/**
 * Text as it may stand inside an entry. `<!--` would hide the rest of the note or forge a marker;
 * control characters would speak to a terminal. Everything else is Markdown's business.
 */
function inert(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
      .replaceAll('<!--', '&lt;!--')
  )
}
