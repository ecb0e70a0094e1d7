// All checks of one agent that need no sandbox, in the order in which they are told. The composition of
// this folder; main.ts gives it a process of its own.

import type { AgentDefinition } from '../define-agent.ts'
import { type Checked, listExamples } from './cases.ts'
import type { Tally } from './contract.ts'
import { checkDeclaration } from './declaration.ts'
import type { AgentExamples } from './examples-contract.ts'
import { type FuzzOptions, fuzz } from './fuzz.ts'
import { tryInputs } from './inputs.ts'
import { tryExamples } from './tried-examples.ts'

export interface Subject {
  readonly agent: AgentDefinition
  readonly examples: AgentExamples
  /** Name of the agent's folder. */
  readonly folder: string
}

export interface CheckOptions extends FuzzOptions {
  /** An empty folder. */
  readonly scratch: string
}

/** Whatever is wrong with the agent is in the tally. @throws only for what is wrong with the check */
export async function checkAgent(
  { agent, examples, folder }: Subject,
  tally: Tally,
  options: CheckOptions,
): Promise<void> {
  checkDeclaration(agent, folder, tally)
  // Nothing that follows can be told of an agent that is not what it declares.
  if (tally.found.length > 0) return
  const checked: Checked = { agent, tally, scratch: options.scratch }
  tally.tried('confinement')
  const good = await tryExamples(checked, listExamples(examples))
  await tryInputs(checked, good)
  await fuzz(checked, good, options)
}
