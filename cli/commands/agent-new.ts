// `agent new`: the files of an agent that works, to be changed into another.

import { scaffoldAgent } from '../agent-scaffold.ts'
import { projectRoot } from '../config.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'

export function agentNewCommand(output: Output, name: string): ExitCode {
  const made = scaffoldAgent(projectRoot, name)
  if (!made.ok) {
    throw new CommandError(`no agent ${name} is made: ${made.reason}`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead agent new <another-name>',
    })
  }
  output.data({ agent: name, files: made.files, catalogue: made.catalogue.kind }, () => made.files)
  if (made.catalogue.kind === 'manual') {
    output.talk('agents/catalogue.ts has another shape than expected; add to it:')
    for (const line of made.catalogue.lines) output.talk(`  ${line}`)
  }
  output.talk(`next: npx bulkhead agent check ${name}`)
  return exitCodes.completed
}
