// The notary's configuration: one file, named on the command line, written by the supervisor before
// each start, and in its own folder the two private keys and the people. Parsed here once, but for
// keys that are replaced (keys.ts) and people who come and go; nothing else of the notary reads the command line, and nothing reads the
// environment.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { knownNamesSchema } from '../plan/known-names.ts'
import { plannerModelsSchema } from '../plan/planner-models.ts'
import { replicasSchema, slotsSchema } from '../plan/replicas.ts'
import { isTimeZone } from '../plan/time-zone.ts'
import { type HouseholdUser, householdSchema } from '../security/people.ts'
import { type PrivateJwk, privateJwkSchema } from '../security/verify/keys.ts'

const notaryConfigSchema = z.strictObject({
  deployment: z.string().regex(/^[a-z0-9]{8}$/),
  /** Issuer of tokens, `notary:<deployment>`. */
  issuer: z.string().min(1),
  /** Folder with signing.jwk.json, audit.jwk.json, users.json and audit.db. */
  folder: z.string(),
  /** Credentials folder of the notary's bus account. */
  bus: z.string(),
  /** People and places of bulkhead.yaml. */
  names: knownNamesSchema.optional(),
  /** Models that may be asked for a plan; absent: none. */
  planner: plannerModelsSchema.optional(),
  /** Of each agent; absent: as the manifests say. */
  replicas: replicasSchema.optional(),
  /** Of each person, for agents of one's own; absent: nobody has any. */
  slots: slotsSchema.optional(),
  /** Zone of the times of day that plans give without one; unset: the machine's. */
  zone: z.string().refine(isTimeZone, 'is not an IANA time zone').optional(),
})
export type NotaryConfig = Readonly<z.infer<typeof notaryConfigSchema>>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** `args` as after the program's name. @throws ConfigError */
export function readNotaryConfig(args: readonly string[]): NotaryConfig {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } })
    if (values.config === undefined) throw new ConfigError('missing: --config <file>')
    return notaryConfigSchema.parse(JSON.parse(readFileSync(values.config, 'utf8')))
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const what = cause instanceof Error ? cause.message : 'unreadable'
    throw new ConfigError(`the notary's configuration cannot be read: ${what}`, { cause })
  }
}

/** The people of the household, as the supervisor has written them. @throws ConfigError */
export function readHousehold(folder: string): readonly HouseholdUser[] {
  try {
    return householdSchema.parse(JSON.parse(readFileSync(join(folder, 'users.json'), 'utf8')))
  } catch (cause) {
    throw new ConfigError('users.json is missing or does not name the people', { cause })
  }
}

export interface NotaryKeys {
  readonly signing: PrivateJwk
  readonly audit: PrivateJwk
}

/** @throws ConfigError, without a cause: a parser's message may quote what it read */
export function readNotaryKeys(folder: string): NotaryKeys {
  return { signing: readKey(folder, 'signing.jwk.json'), audit: readKey(folder, 'audit.jwk.json') }
}

/**
 * The key that the supervisor laid beside the one in use; undefined without one.
 * @throws ConfigError when it is no key
 */
export function readSuccessor(folder: string, name: 'signing' | 'audit'): PrivateJwk | undefined {
  const file = `${name}.next.jwk.json`
  return existsSync(join(folder, file)) ? readKey(folder, file) : undefined
}

function readKey(folder: string, name: string): PrivateJwk {
  try {
    return privateJwkSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))
  } catch {
    throw new ConfigError(`${name} is missing or not a private key`)
  }
}
