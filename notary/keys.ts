// The notary's keys while it runs: which is in use, and how one is replaced when the supervisor has
// laid its successor beside it (`<name>.next.jwk.json`). Invariant: before a key is used, its audit row
// is on disk; before its predecessor's file is replaced, too. Whoever dies in between finds the
// successor still lying there and does the rest at the next start.

import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHeadSealer } from '../security/audit/checkpoint.ts'
import type { KeyPeriod } from '../security/audit/key-chain.ts'
import type { KeysInUse } from '../security/keys-in-use.ts'
import { createMinter, type Minter } from '../security/mint/token.ts'
import { syncPath } from '../security/sync-path.ts'
import { type PrivateJwk, toPublicJwk } from '../security/verify/keys.ts'
import { ConfigError, type NotaryKeys, readSuccessor } from './config.ts'
import type { AuditStore } from './store.ts'

export interface KeyRing {
  /** Signs with whichever key is in use when it is called. */
  readonly minter: Minter
  /**
   * Takes up successors that lie there and says in `keys.json` what is in use then. One at a time.
   * @throws ConfigError, StoreError; the key in use stays in use
   */
  reload(): Promise<void>
}

export async function createKeyRing(
  folder: string,
  { keys, store }: { readonly keys: NotaryKeys; readonly store: AuditStore },
): Promise<KeyRing> {
  let minter = await createMinter(keys.signing)
  let audit = keys.audit
  let last: Promise<void> = Promise.resolve()

  async function takeSigning(): Promise<void> {
    const next = readSuccessor(folder, 'signing')
    if (next === undefined) return
    const successor = await createMinter(next)
    if (successor.kid !== minter.kid) {
      const body = { event: 'token-key', previous: minter.kid, current: successor.kid }
      await store.commit('fact', (writer) => writer.append({ ...aboutKeys, body }))
    }
    promote(folder, 'signing')
    minter = successor
  }

  async function takeAudit(): Promise<void> {
    const next = readSuccessor(folder, 'audit')
    if (next === undefined) return
    if (next.x !== audit.x) {
      await store.replaceAuditKey({
        before: toPublicJwk(audit),
        key: toPublicJwk(next),
        seal: await createHeadSealer(next),
      })
    }
    // From here on it is the key in force, whatever becomes of the file.
    audit = next
    promote(folder, 'audit')
  }

  async function reload(): Promise<void> {
    await takeSigning()
    await takeAudit()
    writeKeysInUse(folder, { signing: minter.kid, audit: [...periodsOf(store, audit)] })
  }

  return {
    minter: {
      get kid() {
        return minter.kid
      },
      mint: (claims) => minter.mint(claims),
    },
    reload() {
      const turn = last.then(reload)
      last = turn.catch(() => undefined)
      return turn
    },
  }
}

const aboutKeys = {
  kind: 'life-cycle',
  actor: 'notary',
  subject: 'token-key',
  correlation: '',
} as const

function periodsOf(store: AuditStore, audit: PrivateJwk): readonly KeyPeriod[] {
  const periods = store.auditKeys()
  return periods.length > 0 ? periods : [{ key: toPublicJwk(audit), from: 0 }]
}

/**
 * True when the file is the key that the log names as the one in force. False when a crash left its
 * successor in force and beside it: then that one has been put in its place.
 * @throws ConfigError when neither is
 */
export function settleAuditKey(folder: string, store: AuditStore, keys: NotaryKeys): boolean {
  const inForce = store.auditKeys().at(-1)?.key.x
  if (inForce === undefined || inForce === keys.audit.x) return true
  if (readSuccessor(folder, 'audit')?.x !== inForce) {
    throw new ConfigError('audit.jwk.json is not the key that the audit names')
  }
  promote(folder, 'audit')
  return false
}

/** Replaces the key's file by its successor's, durably; the old private half is gone with it. */
function promote(folder: string, name: 'signing' | 'audit'): void {
  renameSync(join(folder, `${name}.next.jwk.json`), join(folder, `${name}.jwk.json`))
  syncPath(folder)
}

function writeKeysInUse(folder: string, inUse: KeysInUse): void {
  const file = join(folder, 'keys.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(inUse)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
