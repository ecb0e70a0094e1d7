// The policy in force while the notary runs: opened when it starts, looked at again when it is told to.
// Invariant: there is always one, and it passed its self-test; one that does not load or does not pass
// leaves the former in force, which the audit and `policy-in-use.json` say.

import { type Policy, toPolicy } from '../plan/policy.ts'
import { faultOfPolicy } from '../plan/policy-check.ts'
import { defaultSettings, settingsSchema } from '../plan/policy-settings.ts'
import { PolicyError } from '../security/policy/engine.ts'
import { readPolicyText, sayInUse, seenOf } from '../security/policy/in-use.ts'
import { openPolicyFile, parsePolicyFile } from '../security/policy/policy-file.ts'
import { ConfigError } from './config.ts'
import type { AuditStore } from './store.ts'

export interface PolicySource {
  /** Whatever is in force when it is asked. */
  readonly policy: Policy
  /** Takes up what lies there now, if it can. @throws StoreError */
  reload(): Promise<void>
}

/** @throws ConfigError when what lies there cannot be put in force: then there is no former one */
export async function openPolicySource(
  folder: string,
  store: Pick<AuditStore, 'commit'>,
): Promise<PolicySource> {
  const first = readPolicyText(folder)
  let current = await openText(first).catch((cause) => {
    throw new ConfigError(`the policy cannot be put in force: ${reasonOf(cause)}`, { cause })
  })
  sayInUse(folder, { digest: current.digest, seen: seenOf(first), refused: null })

  async function reload(): Promise<void> {
    const text = readPolicyText(folder)
    const seen = seenOf(text)
    const previous = current.digest
    try {
      const next = await openText(text)
      if (next.digest !== previous) {
        await note(store, { event: 'policy-changed', previous, current: next.digest })
      }
      current = next
      sayInUse(folder, { digest: next.digest, seen, refused: null })
    } catch (error) {
      const reason = reasonOf(error)
      sayInUse(folder, { digest: previous, seen, refused: reason })
      await note(store, { event: 'policy-refused', kept: previous, reason })
    }
  }

  let last: Promise<void> = Promise.resolve()
  return {
    policy: {
      get digest() {
        return current.digest
      },
      decide: (question) => current.decide(question),
    },
    reload() {
      const turn = last.then(reload)
      last = turn.catch(() => undefined)
      return turn
    },
  }
}

/** @throws PolicyError */
async function openText(text: string | undefined): Promise<Policy> {
  const file = text === undefined ? { settings: { ...defaultSettings } } : parsePolicyFile(text)
  if (!settingsSchema.safeParse(file.settings).success) {
    throw new PolicyError('UNREADABLE', 'its settings are not those of this version')
  }
  const { standard, household } = await openPolicyFile(file)
  const policy = toPolicy(standard, household)
  const fault = faultOfPolicy(policy)
  if (fault !== undefined) throw new PolicyError('FAILED', fault)
  return policy
}

function reasonOf(cause: unknown): string {
  if (cause instanceof PolicyError) return cause.message
  throw cause
}

function note(store: Pick<AuditStore, 'commit'>, body: object): Promise<unknown> {
  const about = { actor: 'notary', subject: 'policy', correlation: '' }
  return store.commit('fact', (writer) =>
    writer.append({ kind: 'life-cycle', ...about, body: { ...body } }),
  )
}
