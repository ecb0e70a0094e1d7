// The worker's configuration: one file, named on the command line, written by the supervisor before
// each start. Parsed here once; nothing else of the worker reads the command line, and nothing reads
// the environment.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'

const workerConfigSchema = z.strictObject({
  deployment: z.string(),
  /** Folder with payload.key, artifact.key, sealing.key and artifacts/. */
  folder: z.string(),
  /** Credentials folder of the worker's bus account. */
  bus: z.string(),
  temporal: z.strictObject({
    /** host:port */
    address: z.string(),
    namespace: z.string(),
  }),
  taskQueue: z.string(),
  workflowBundle: z.string(),
})
export type WorkerConfig = Readonly<z.infer<typeof workerConfigSchema>>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** @throws ConfigError */
export function readWorkerConfig(args: readonly string[]): WorkerConfig {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } })
    if (values.config === undefined) throw new ConfigError('missing: --config <file>')
    return workerConfigSchema.parse(JSON.parse(readFileSync(values.config, 'utf8')))
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const what = cause instanceof Error ? cause.message : 'unreadable'
    throw new ConfigError(`the worker's configuration cannot be read: ${what}`, { cause })
  }
}
