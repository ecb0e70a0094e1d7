// The logs of a deployment: one bounded file per process, and the supervisor's own story in
// supervisor.log (JSON) and, in short, on standard error for the person who started it. Never holds
// a token, a key or anything an agent returned.

import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { type LogFile, openLog } from './log-file.ts'

export interface Journal {
  readonly logger: Logger
  /** The log file of a process; opened once. */
  logOf(name: string): LogFile
  /** A line for the person, and for the log. */
  say(line: string): void
  close(): void
}

export function openJournal(folder: string, toPerson: (line: string) => void): Journal {
  const files = new Map<string, LogFile>()
  const logOf = (name: string): LogFile => {
    const file = files.get(name) ?? openLog(join(folder, `${name}.log`))
    files.set(name, file)
    return file
  }
  const own = logOf('supervisor')
  const logger = pino({ base: { pid: process.pid } }, { write: (line: string) => own.write(line) })
  return {
    logger,
    logOf,
    say(line) {
      logger.info(line)
      toPerson(line)
    },
    close() {
      for (const file of files.values()) file.close()
    },
  }
}
