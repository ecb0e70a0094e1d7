// What the supervisor remembers of a running sandbox, so that its end reaches the notary even after
// the supervisor was killed: the facts that it registered at the start, in one file for each replica.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootCall } from '../notary/contract.ts'
import { type BootFacts, removeSecrets } from './agent-files.ts'
import type { LogFile } from './log-file.ts'
import type { NotaryPort } from './notary-port.ts'
import type { ReplicaAddress, ReplicaLayout } from './state.ts'

interface Recorded {
  readonly address: ReplicaAddress
  readonly layout: ReplicaLayout
  readonly notary: NotaryPort
  readonly log: LogFile
}

export function keepBoot(layout: ReplicaLayout, facts: BootFacts): void {
  writeFileSync(bootFile(layout), JSON.stringify(facts), { mode: 0o600 })
}

/**
 * Best effort here, because a stop that is not recorded leaves the notary handing out tokens that
 * nobody can use; the kept facts let the next start of the supervisor say it again.
 */
export async function tellStopped(options: Recorded, facts: BootFacts): Promise<void> {
  try {
    await options.notary.boot({ ...options.address, ...facts, running: false })
    rmSync(bootFile(options.layout), { force: true })
  } catch (error) {
    options.log.write(`${JSON.stringify({ msg: 'stop not recorded', error: String(error) })}\n`)
  }
}

const bootFile = (layout: ReplicaLayout) => join(layout.run, 'boot.json')

/** After a killed supervisor: the secrets of that boot are deleted and its end is recorded. */
export async function endLeftover(
  replica: { readonly address: ReplicaAddress; readonly layout: ReplicaLayout },
  notary: NotaryPort,
): Promise<void> {
  removeSecrets(replica.layout)
  const file = bootFile(replica.layout)
  if (!existsSync(file)) return
  const facts = bootFactsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (facts.success) await notary.boot({ ...replica.address, ...facts.data, running: false })
  rmSync(file)
}

const bootFactsSchema = bootCall.pick({ bootEpoch: true, nkey: true, receiptKey: true })
