// One log file per process, appended to and bounded: at the limit it is renamed to `<name>.1`, which
// replaces the one before. A process that writes without end can fill twice the limit and no more.
// A log that cannot be written (a full disk) loses lines; it never stops what it describes.

import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** Twice this per process stays readable and small against any disk that a person has. */
const maxBytesDefault = 10 * 1024 * 1024
/** A panic's traces come after the line that says what happened, and are long. */
const tailCharacters = 16 * 1024

export interface LogFile {
  write(chunk: string | Uint8Array): void
  /** What a process said last, for error messages: the last lines, or the first one of a Go panic. */
  tail(): string
  close(): void
}

export function openLog(file: string, maxBytes = maxBytesDefault): LogFile {
  let handle = openSync(file, 'a', 0o600)
  let size = fstatSync(handle).size
  let last = ''
  const rotate = () => {
    renameSync(file, `${file}.1`)
    const fresh = openSync(file, 'a', 0o600)
    closeSync(handle)
    handle = fresh
    size = 0
  }
  return {
    write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      last = (last + Buffer.from(bytes).toString('utf8')).slice(-tailCharacters)
      try {
        if (size + bytes.byteLength > maxBytes && size > 0) rotate()
        size += writeSync(handle, bytes.subarray(0, maxBytes))
      } catch {
        // Full disk or folder gone: see the opening comment.
      }
    },
    tail: () => {
      const panic = /^panic: .*$/m.exec(last)?.[0]
      return panic ?? last.trimEnd().split('\n').slice(-12).join('\n')
    },
    close: () => closeSync(handle),
  }
}
