// Data on standard output, talk on standard error: the one place that writes to either. Text that
// came from outside is stripped of control characters before a terminal sees it.

import { styleText } from 'node:util'

export interface Output {
  readonly json: boolean
  /** One document for `--json`, else the lines that `human` gives. */
  data(document: unknown, human: () => readonly string[]): void
  /** One line of a stream: a JSON document a line with `--json`. */
  row(document: unknown, human: () => string): void
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
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    '',
  )
}

export function createOutput(json: boolean): Output {
  const out = (text: string) => process.stdout.write(`${text}\n`)
  const err = (text: string) => process.stderr.write(`${text}\n`)
  return {
    json,
    data(document, human) {
      if (json) out(JSON.stringify(document))
      else for (const line of human()) out(inert(line))
    },
    row(document, human) {
      out(json ? JSON.stringify(document) : inert(human()))
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
