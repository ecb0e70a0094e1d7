// The text of a file that a bank wrote: which encoding it has, and a refusal where it has not. Invariant:
// no character is guessed; a file that does not fit its encoding is refused, since a wrong reading would
// be kept in the journal for good. Pure.

import { corrupt } from './failures.ts'

/** Names that banks and rules use -> label of the Encoding Standard. */
const encodings: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['utf-16', 'utf-16le'],
  ['us-ascii', 'windows-1252'],
  ['usascii', 'windows-1252'],
  ['1252', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
  ['cp1252', 'windows-1252'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['iso-8859-15', 'iso-8859-15'],
  ['8859-1', 'windows-1252'],
])

/**
 * @param declared by rules or by the file's own head; a mark at the beginning of the file overrules it
 * @throws ActionFailure CORRUPT_DATA
 */
export function decodeText(file: string, bytes: Uint8Array, declared = 'utf-8'): string {
  const label = markOf(bytes) ?? encodings.get(declared.trim().toLowerCase())
  if (label === undefined) throw corrupt(file, 'has an encoding that is not known here')
  let text: string
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    throw corrupt(file, `is not ${label}`)
  }
  if (text.includes('\u0000')) throw corrupt(file, 'is not text')
  return text
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined
}

/** What an OFX file says of itself: `CHARSET:1252` and `ENCODING:USASCII`, or XML's `encoding="..."`. */
export function ofxEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 1_024)).toString('latin1')
  const [, xml] = /<\?xml[^>]*\sencoding="([^"]{1,40})"/i.exec(head) ?? []
  if (xml !== undefined) return xml
  const [, encoding] = /^ENCODING:[ \t]*([\w-]{1,40})/im.exec(head) ?? []
  const [, charset] = /^CHARSET:[ \t]*([\w-]{1,40})/im.exec(head) ?? []
  if (encoding !== undefined && /^utf-?8$/i.test(encoding)) return 'utf-8'
  return charset === undefined || /^none$/i.test(charset) ? undefined : charset
}
