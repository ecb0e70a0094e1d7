// Which names from outside may become a file of a data folder (a note, a calendar). Invariant: such a
// name is one visible path component on every system that may share the folder. Pure; no I/O.

/**
 * Written without Unicode classes, because it is also published as a JSON Schema pattern, which
 * readers compile without the `u` flag. `isFileStem` refuses what a pattern cannot say.
 */
export const fileStemPattern =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  /^[^\s./\\:*?"<>|\u0000-\u001f\u007f-\u009f](?:[^/\\:*?"<>|\u0000-\u001f\u007f-\u009f]*[^\s./\\:*?"<>|\u0000-\u001f\u007f-\u009f])?$/

/** Names that Windows gives to devices, with any suffix. */
const deviceNames = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i
/** Control, format, surrogate, private and unassigned characters, line and paragraph separators. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/u
/** File systems allow 255 bytes a name; a suffix and a temporary name must fit. */
const maxBytes = 200

/** True when `name` with a suffix is safe to use as the name of a file. */
export function isFileStem(name: string): boolean {
  return (
    fileStemPattern.test(name) &&
    !invisible.test(name) &&
    !deviceNames.test(name) &&
    Buffer.byteLength(name) <= maxBytes
  )
}
