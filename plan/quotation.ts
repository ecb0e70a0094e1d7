// Text that somebody else wrote, as a quotation that a terminal can only show: no control character, no
// character that turns the direction of what follows or is not seen, nothing that a terminal makes a
// link of. Spelled as JSON is, so that the value can be told from it exactly. Bounded, and says so.

/** Controls, formats (bidi, zero width), surrogates, private use, unassigned, and other line ends. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu
/** Marks stack without end on one letter, and reach the lines above and below. */
const stackedMarks = /(?<=\p{M}{2})\p{M}+/gu
/** Of an address that terminals follow: its double slash, its first dot or its colon. */
const links = /(?<=:)\/(?=\/)|(?<=\bwww)\.|(?<=\b(?:mailto|tel|file|data|javascript)):/giu

/** `"text"`, at most `maxCharacters` of it. */
export function quote(text: string, maxCharacters: number): string {
  const characters = [...text]
  const shown = characters.slice(0, maxCharacters).join('')
  const left = characters.length - maxCharacters
  return `"${spelled(shown)}"${left > 0 ? ` and ${left} more characters` : ''}`
}

function spelled(text: string): string {
  return text
    .replaceAll(/["\\]/g, (character) => `\\${character}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(unseen, spell)
    .replaceAll(stackedMarks, spell)
    .replaceAll(links, spell)
}

/** Every character that is not plain ASCII spelled out: two that look alike no longer do. */
export function spellOut(text: string): string {
  return `"${spelled(text).replaceAll(/[^ -~]/gu, spell)}"`
}

export function isPlain(text: string): boolean {
  return /^[ -~\n\t]*$/.test(text)
}

function spell(text: string): string {
  return [...text].map((character) => `\\u{${character.codePointAt(0)?.toString(16)}}`).join('')
}
