// Where a person's lines come from: a terminal, where each is asked for, or a pipe, which ends. Nothing of a
// pipe is lost between two lines; a terminal is let go of in between, because approvals ask there too.

import { createInterface } from 'node:readline'
import type { AskPerson } from '../inline-questions.ts'

export interface Lines {
  readonly isTerminal: boolean
  /** Undefined at the end of the input. */
  next(prompt: string): Promise<string | undefined>
  close(): void
}

export function terminalLines(person: AskPerson): Lines {
  return { isTerminal: true, next: person, close: () => undefined }
}

export function pipedLines(input: NodeJS.ReadableStream): Lines {
  const reader = createInterface({ input, terminal: false })
  const lines = reader[Symbol.asyncIterator]()
  return {
    isTerminal: false,
    next: async () => {
      const { done, value } = await lines.next()
      return done === true ? undefined : value
    },
    close: () => reader.close(),
  }
}
