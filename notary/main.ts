// The notary's entry: `node notary/main.ts --config <file>`. Says on descriptor 3 when it serves, or
// why it cannot; reads its keys again on SIGHUP; leaves on SIGTERM and when its standard input ends, which means that the supervisor
// died. Logs go to standard output as JSON.

import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { catalogue } from '../agents/catalogue.ts'
import { BusError } from '../security/bus.ts'
import { ConfigError, readNotaryConfig } from './config.ts'
import { StoreError } from './database.ts'
import { runNotary } from './run-notary.ts'

const readyDescriptor = 3

function say(line: Readonly<Record<string, unknown>>): void {
  try {
    writeSync(readyDescriptor, `${JSON.stringify(line)}\n`)
  } catch {
    // Started by hand, without the pipe: there is nobody to tell.
  }
}

function codeOf(error: unknown): string {
  if (error instanceof ConfigError) return 'CONFIG'
  if (error instanceof StoreError) return error.code
  return error instanceof BusError ? 'BUS' : 'NOTARY_FAILED'
}

const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.once('SIGINT', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.once('error', () => resolve())
  process.stdin.resume()
})

/** Registered at once: without a handler the signal would end the process. */
let reload: () => void = () => undefined
process.on('SIGHUP', () => reload())

const log = pino({ name: 'notary' })
try {
  const config = readNotaryConfig(process.argv.slice(2))
  await runNotary(config, {
    catalogue,
    log,
    stop,
    onReady: () => say({ ready: true }),
    onReload: (handler) => {
      reload = handler
    },
  })
  process.exit(0)
} catch (error) {
  const message = error instanceof Error ? error.message : 'unknown error'
  const next = error instanceof StoreError ? error.next : undefined
  say({ ready: false, code: codeOf(error), message, ...(next === undefined ? {} : { next }) })
  log.fatal({ code: codeOf(error) }, message)
  process.exit(1)
}
