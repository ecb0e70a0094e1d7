// `agent docs`: writes docs/agents.md from the manifests, or says whether it is current.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue } from '../../agents/catalogue.ts'
import { describeAgents } from '../../agents/check/document.ts'
import { readIfThere } from '../../security/read-if-there.ts'
import { projectRoot } from '../config.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'

const agentsDocument = join(projectRoot, 'docs', 'agents.md')

/** @param isCheck changes nothing, and fails where the file is another */
export function agentDocsCommand(output: Output, isCheck: boolean): ExitCode {
  const text = describeAgents(catalogue)
  const isCurrent = readIfThere(agentsDocument) === text
  if (!isCurrent && !isCheck) writeFileSync(agentsDocument, text)
  output.data(
    { file: 'docs/agents.md', current: isCurrent, written: !isCurrent && !isCheck },
    () => [
      isCurrent
        ? 'docs/agents.md is current'
        : `docs/agents.md ${isCheck ? 'is another' : 'is written'}`,
    ],
  )
  if (isCurrent || !isCheck) return exitCodes.completed
  output.problem('docs/agents.md does not say what the manifests say', 'npx bulkhead agent docs')
  return exitCodes.failed
}
