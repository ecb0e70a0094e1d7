// The part of a check that runs inside a real sandbox: the agent's own look at its walls, and every example
// once more, where there is no network, no other program and no file but its own. Bundled with the agent
// and its examples (bundle-main.ts), started by supervisor/try-agent.ts. Leaves its report in the ledger's
// folder and waits to be stopped.

import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentDefinition } from '../define-agent.ts'
import { assertSandbox, observeSandbox } from '../self-assertion.ts'
import { listExamples } from './cases.ts'
import { Tally } from './contract.ts'
import type { AgentExamples } from './examples-contract.ts'
import { tryExamples } from './tried-examples.ts'

/** The only folder that can be written. */
const own = '/ledger'
/** As in agents/sandbox-main.ts. */
const readyDescriptor = 3

export async function checkInside(agent: AgentDefinition, examples: AgentExamples): Promise<void> {
  try {
    // An agent with programs is given none here: its examples answer in their place.
    assertSandbox(observeSandbox('/secrets', []))
    const tally = new Tally()
    const scratch = join(own, 'scratch')
    await tryExamples({ agent, tally, scratch }, listExamples(examples))
    writeFileSync(join(own, 'report.json'), JSON.stringify(tally.found))
    say({ ready: true })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    say({ ready: false, code: 'SANDBOX', message })
    process.exit(1)
  }
  // As process 1 of its namespace it gets no default handlers.
  process.once('SIGTERM', () => process.exit(0))
  setInterval(() => undefined, 60_000)
}

function say(line: unknown): void {
  writeSync(readyDescriptor, `${JSON.stringify(line)}\n`)
}
