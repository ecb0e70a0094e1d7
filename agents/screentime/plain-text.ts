// Text of others as one line of plain characters. agents/feeds has one for markup; here there is none.
// Pure.

/**
 * One line in Unicode's composed form, without control, format, private and unassigned characters, of
 * at most `maxCharacters`.
 */
export function plain(text: string, maxCharacters: number): string {
  // A title of megabytes is not looked through to its end.
  const visible = text
    .slice(0, maxCharacters * 8)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .normalize('NFC')
    .trim()
  const characters = [...visible]
  if (characters.length <= maxCharacters) return visible
  return `${characters
    .slice(0, maxCharacters - 1)
    .join('')
    .trim()}…`
}
