// The gateway's configuration: one file, named on the command line, written by the supervisor before
// each start. Secrets are files of their own, read when they are used and never kept in the
// configuration; nothing here reads the environment.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  type CredentialPlace,
  type GatewayAgent,
  type GatewayConfig,
  gatewayConfigSchema,
} from './contract.ts'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** `args` as after the program's name. @throws ConfigError */
export function readGatewayConfig(args: readonly string[]): GatewayConfig {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } })
    if (values.config === undefined) throw new ConfigError('missing: --config <file>')
    return gatewayConfigSchema.parse(JSON.parse(readFileSync(values.config, 'utf8')))
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const what = cause instanceof Error ? cause.message : 'unreadable'
    throw new ConfigError(`the gateway's configuration cannot be read: ${what}`, { cause })
  }
}

/** The epoch that the supervisor has written for the running sandbox; undefined while none runs. */
export function readEpoch({ epochFile }: GatewayAgent): string | undefined {
  try {
    const text = readFileSync(epochFile, 'utf8').trim()
    return /^[A-Za-z0-9_-]{8,64}$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The public nkey that the running sandbox has; undefined where none was written. */
export function readNkey({ nkeyFile }: GatewayAgent): string | undefined {
  try {
    const text = readFileSync(nkeyFile, 'utf8').trim()
    return /^U[A-Z2-7]{1,60}$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** @throws Error, without quoting, when the file is missing or is no header's value */
export function readSecret({ file }: CredentialPlace): string {
  const text = readFileSync(file, 'utf8')
  if (!/^[\u0020-\u007e]{1,4096}$/.test(text)) throw new Error(`${file} holds no usable secret`)
  return text
}
