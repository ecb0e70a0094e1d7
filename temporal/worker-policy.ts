// The rules by which the worker compiles plans: those of `policy.json` in its folder, read at its start and
// again when it is told to. What it says of a plan is a courtesy, so that a refusal comes early; the
// notary's word counts. Invariant: there is always one; what cannot be read leaves the former in force,
// which `policy-in-use.json` says.

import { type Decide, type Policy, toPolicy } from '../plan/policy.ts'
import { defaultSettings } from '../plan/policy-settings.ts'
import { PolicyError } from '../security/policy/engine.ts'
import { readPolicyText, sayInUse, seenOf } from '../security/policy/in-use.ts'
import { openPolicyFile, parsePolicyFile } from '../security/policy/policy-file.ts'

export interface WorkerPolicy {
  /** By the rules in force when it is asked. */
  readonly decide: Decide
  /** Takes up what lies there now, if it can. Never rejects for a policy that cannot be read. */
  reload(): Promise<void>
}

/** @throws PolicyError UNREADABLE when what lies there at the start cannot be read */
export async function openWorkerPolicy(folder: string): Promise<WorkerPolicy> {
  const first = readPolicyText(folder)
  let current = await openText(first)
  sayInUse(folder, { digest: current.digest, seen: seenOf(first), refused: null })

  async function reload(): Promise<void> {
    const text = readPolicyText(folder)
    const seen = seenOf(text)
    try {
      current = await openText(text)
      sayInUse(folder, { digest: current.digest, seen, refused: null })
    } catch (cause) {
      if (!(cause instanceof PolicyError)) throw cause
      sayInUse(folder, { digest: current.digest, seen, refused: cause.message })
    }
  }

  let last: Promise<void> = Promise.resolve()
  return {
    decide: (question) => current.decide(question),
    reload() {
      const turn = last.then(reload)
      last = turn.catch(() => undefined)
      return turn
    },
  }
}

async function openText(text: string | undefined): Promise<Policy> {
  const file = text === undefined ? { settings: { ...defaultSettings } } : parsePolicyFile(text)
  const { standard, household } = await openPolicyFile(file)
  return toPolicy(standard, household)
}
