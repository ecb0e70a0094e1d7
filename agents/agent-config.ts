// What the supervisor leaves in a sandbox for its agent: one folder of files, 0400. Parsed once at
// start, but for the token keys, which are replaced while it runs; nothing is ever read from the
// environment or from arguments. No secret is ever quoted in an error message.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createDocumentSigner, type SignDocument } from '../security/verify/document.ts'
import type { TokenKeys } from '../security/verify/token.ts'
import { openTokenKeyFile } from '../security/verify/token-key-file.ts'
import { parseSealingKey, type SealingKey } from './ledger-seal.ts'

/** `config.json` in the secrets folder. */
export const agentConfigSchema = z.strictObject({
  deployment: z.string(),
  issuer: z.string(),
  agent: z.string(),
  n: z.number().int().min(0),
  bootEpoch: z.string().min(8).max(64),
  /** Public nkey of the replica's bus user. */
  nkey: z.string(),
  ledgerId: z.string().min(1),
  /** What the ledger's database may come to. */
  ledgerBytes: z.number().int().positive(),
  /** Development only: serves without a sandbox around it. */
  insecure: z.boolean(),
  /** Words and variables with which each configured program is started. */
  programs: z
    .array(
      z.strictObject({
        name: z.string(),
        command: z.array(z.string()).min(1),
        env: z.record(z.string(), z.string()),
      }),
    )
    .default([]),
})
export type AgentConfig = z.infer<typeof agentConfigSchema>

/** Where things are, seen from inside. */
export interface AgentPaths {
  readonly secrets: string
  readonly busSocket: string
  /** There only where the manifest declares egress. */
  readonly egressSocket: string
  readonly ledger: string
  /** Undefined: better-sqlite3 finds its own addon, as in a source tree. */
  readonly nativeBinding: string | undefined
  /** Path of a mount, given as the manifest writes it. */
  readonly mount: (at: string) => string
}

/** The layout inside a sandbox, or the same one below `root` outside. */
export function agentPaths(root: string): AgentPaths {
  return {
    secrets: join(root, 'secrets'),
    busSocket: join(root, 'run/bus.sock'),
    egressSocket: join(root, 'run/egress.sock'),
    ledger: join(root, 'ledger'),
    nativeBinding: join(root, 'agent/better_sqlite3.node'),
    mount: (at) => join(root, at),
  }
}

export interface AgentSecrets {
  readonly config: AgentConfig
  readonly sign: SignDocument
  readonly tokenKeys: TokenKeys
  readonly ledgerKey: SealingKey
}

/** @throws z.ZodError or Error when a file is missing or not what it should be */
export async function readSecrets(folder: string): Promise<AgentSecrets> {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const json = (name: string): unknown => JSON.parse(text(name))
  return {
    config: agentConfigSchema.parse(json('config.json')),
    sign: await createDocumentSigner(json('receipt.jwk.json')),
    tokenKeys: await openTokenKeyFile(join(folder, 'token-keys.json')),
    ledgerKey: parseSealingKey(text('ledger.key')),
  }
}
