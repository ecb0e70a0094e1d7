// The worker's entry: `node temporal/main.ts --config <file>`. Says on descriptor 3 when it polls, or
// why it cannot; reads its policy again on SIGHUP; leaves on SIGTERM and when its standard input ends,
// which means that the supervisor died.

import { fstatSync, writeSync } from 'node:fs'
import { catalogue } from '../agents/catalogue.ts'
import { ConfigError, readWorkerConfig } from './config.ts'
import { runWorker } from './run-worker.ts'

const readyDescriptor = 3

function say(line: Readonly<Record<string, unknown>>): void {
  try {
    const pipe = fstatSync(readyDescriptor)
    // Without a parent's pipe, the number is one of Node's own.
    if (!pipe.isFIFO() && !pipe.isSocket()) return
    writeSync(readyDescriptor, `${JSON.stringify(line)}\n`)
  } catch {
    // Started by hand, without the pipe: there is nobody to tell.
  }
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

try {
  await runWorker(readWorkerConfig(process.argv.slice(2)), {
    catalogue,
    stop,
    onReady: () => say({ ready: true }),
    onReload: (handler) => {
      reload = handler
    },
  })
  process.exit(0)
} catch (error) {
  const code = error instanceof ConfigError ? 'CONFIG' : 'WORKER_FAILED'
  const message = error instanceof Error ? error.message : 'unknown error'
  say({ ready: false, code, message })
  process.stderr.write(`worker: ${message}\n`)
  process.exit(1)
}
