// Data on standard output, talk on standard error: the one place that writes to either. Text that
// came from outside is stripped of control characters before a terminal sees it.

import { styleText } from 'node:util'
import { fitPictures, type Terminal } from './pictures.ts'

export interface Output {
  readonly json: boolean
  /** One document for `--json`, else the lines that `human` gives. */
  data(document: unknown, human: () => readonly string[]): void
  /** A list: one array with `--json`, one document a line with `--jsonl`, else a line each. */
  rows<T>(documents: readonly T[], human: (document: T) => string): void
  /** One document of a stream that has no other form. */
  line(document: unknown): void
  talk(line: string): void
  problem(message: string, next?: string): void
}

type Style = Parameters<typeof styleText>[0]

/** Colours only where standard error is a terminal and NO_COLOR is unset; Node decides. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr })
}

/** Keeps line breaks and tabs; drops every other C0 and C1 control character and bidi override. */
export function inert(text: string): string {
  return text.replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '',
  )
}

/** JSON itself escapes only C0; a terminal obeys C1 and bidi overrides just as well. */
export function inertJson(document: unknown): string {
  return JSON.stringify(document).replaceAll(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export type OutputFormat = 'text' | 'json' | 'jsonl'

/** @param terminal what data for people is shown on; unset: it goes elsewhere, as it is */
export function createOutput(format: OutputFormat, terminal?: Terminal): Output {
  const json = format !== 'text'
  const out = (text: string) => process.stdout.write(`${text}\n`)
  const err = (text: string) => process.stderr.write(`${text}\n`)
  const shown = (text: string) => (terminal === undefined ? text : fitPictures(text, terminal))
  return {
    json,
    data(document, human) {
      if (json) out(inertJson(document))
      else for (const line of human()) out(shown(inert(line)))
    },
    rows(documents, human) {
      if (format === 'json') out(inertJson(documents))
      else for (const one of documents) out(json ? inertJson(one) : inert(human(one)))
    },
    line(document) {
      out(inertJson(document))
    },
    talk(line) {
      err(inert(line))
    },
    problem(message, next) {
      err(`${paint('red', 'error')}: ${inert(message)}`)
      if (next !== undefined) err(`${paint('cyan', 'next')}: ${inert(next)}`)
    },
  }
}

/** Columns padded to their widest cell; two spaces between. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/**
 * Resolves when both streams have given away what was written to them: `process.exit` drops what a
 * pipe has not taken yet (Node's documentation, "A note on process I/O").
 */
export async function flushOutput(): Promise<void> {
  const streams = [process.stdout, process.stderr]
  await Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  )
}
