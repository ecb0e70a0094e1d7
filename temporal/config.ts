// The worker's configuration: one file, named on the command line, written by the supervisor before
// each start. Parsed here once; nothing else of the worker reads the command line, and nothing reads
// the environment.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { knownNamesSchema } from '../plan/known-names.ts'
import { plannerModelsSchema } from '../plan/planner-models.ts'
import { replicasSchema } from '../plan/replicas.ts'
import { isTimeZone } from '../plan/time-zone.ts'
import { userIdSchema } from '../security/people.ts'

const workerConfigSchema = z.strictObject({
  deployment: z.string(),
  /** Folder with payload.key, artifact.key, sealing.key, policy.json and artifacts/. */
  folder: z.string(),
  /** Credentials folder of the worker's bus account. */
  bus: z.string(),
  temporal: z.strictObject({
    /** host:port */
    address: z.string(),
    namespace: z.string(),
  }),
  taskQueue: z.string(),
  /** Digest of all that the worker runs, as the supervisor computed it. */
  build: z.string(),
  workflowBundle: z.string(),
  /** Whether steps that may take the fast lane do so; runs under way keep their lanes. */
  fastLane: z.boolean(),
  /** IANA name: whose day "today" is in what a person says; absent: the machine's. */
  zone: z.string().refine(isTimeZone, 'is not an IANA time zone').optional(),
  /** People and places of bulkhead.yaml. */
  names: knownNamesSchema.optional(),
  /** Models that may be asked for a plan; absent: none. */
  planner: plannerModelsSchema.optional(),
  /** Of each agent; absent: as the manifests say. */
  replicas: replicasSchema.optional(),
  /** By id, whose requests and answers a person may look at. */
  sees: z.record(userIdSchema, z.array(userIdSchema)).optional(),
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
