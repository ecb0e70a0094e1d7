// The notary's part of a rotation, as the supervisor sees it: a new key is laid into its folder, it is
// told to look, and says in `keys.json` what it uses. That file lies in a folder that only the notary
// and the supervisor can write, so nobody else can say it.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type KeysInUse, keysInUseSchema } from '../../security/keys-in-use.ts'
import { redactText } from '../../security/redact.ts'
import { generateKeyPairJwk, type PrivateJwk, type PublicJwk } from '../../security/verify/keys.ts'
import { SupervisorError } from '../codes.ts'
import type { StateLayout } from '../state.ts'
import { replaceFile } from './replace-file.ts'

export type NotaryKeyName = 'signing' | 'audit'

export interface NotaryKeys {
  /** Lays the successor of a key beside it; from here on the notary may use it at any time. */
  lay(name: NotaryKeyName, key: PrivateJwk): void
  isLaid(name: NotaryKeyName): boolean
  /** Undefined before the first start of a notary that says so. */
  inUse(): KeysInUse | undefined
  /**
   * Tells the notary to look, until it says so.
   * @throws SupervisorError KEY_NOT_TAKEN_UP, or the signal's reason
   */
  until(said: (inUse: KeysInUse) => boolean, signal: AbortSignal): Promise<KeysInUse>
}

/** What the rotation of either of its keys needs. */
export interface NotaryRotationInput {
  readonly layout: StateLayout
  /** Tells the notary to read its keys again; does nothing while none runs. */
  readonly hangUp: () => void
  /** Records a phase in the audit; best effort. */
  readonly record: (summary: Readonly<Record<string, string>>) => Promise<void>
  /** How long the notary may take to use a new key. */
  readonly timeoutMs?: number
}

/** A notary that has just been killed waits up to a second before it starts again, and then reads. */
const takeUpTimeoutMs = 15_000
const lookEveryMs = 25
/** It may have been starting, without an ear for it yet. */
const tellEveryMs = 1_000

export function createNotaryKeys(input: NotaryRotationInput): NotaryKeys {
  const { hangUp, timeoutMs = takeUpTimeoutMs } = input
  const folder = input.layout.notary
  const successor = (name: NotaryKeyName) => join(folder, `${name}.next.jwk.json`)
  const inUse = () => readInUse(join(folder, 'keys.json'))
  return {
    lay: (name, key) =>
      replaceFile(successor(name), `${JSON.stringify(key)}\n`, join(folder, `${name}.jwk.json`)),
    isLaid: (name) => existsSync(successor(name)),
    inUse,
    async until(said, signal) {
      for (let waitedMs = 0; waitedMs <= timeoutMs; waitedMs += lookEveryMs) {
        signal.throwIfAborted()
        if (waitedMs % tellEveryMs === 0) hangUp()
        await pause(lookEveryMs, signal)
        const now = inUse()
        if (now !== undefined && said(now)) return now
      }
      throw new SupervisorError('KEY_NOT_TAKEN_UP', 'the notary did not take up its new key', {
        next: 'look into its log (logs/notary.log), then rotate again: it goes on where it stands',
      })
    },
  }
}

/** @throws the signal's reason */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined)
  signal.throwIfAborted()
}

function readInUse(file: string): KeysInUse | undefined {
  try {
    return keysInUseSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

/**
 * A key pair whose public half the audit shows as it is: one in tens of thousands looks to redaction
 * like somebody's secret.
 */
export async function drawKey(): Promise<{ privateJwk: PrivateJwk; publicJwk: PublicJwk }> {
  for (;;) {
    const drawn = await generateKeyPairJwk()
    if (redactText(drawn.publicJwk.x) === drawn.publicJwk.x) return drawn
  }
}
