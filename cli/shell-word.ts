// A text as one word of a shell, for commands that a person copies.

/** In quotes that no character of it can end: as POSIX shells, and those like them, read it. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  if (/^[\w@%+=:,./ ?-]+$/.test(text)) return `"${text}"`
  return `'${text.replaceAll("'", "'\\''")}'`
}
