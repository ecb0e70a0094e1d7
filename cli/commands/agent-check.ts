// `agent check`: the contract tests of agents, ours or others'. Works without a platform.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { catalogue } from '../../agents/catalogue.ts'
import { type AgentReport, type CheckResult, findings } from '../../agents/check/contract.ts'
import { type CheckWords, checkFolder } from '../agent-check.ts'
import { projectRoot } from '../config.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { suggest } from '../suggest.ts'

export interface AgentCheckOptions extends CheckWords {
  readonly all: boolean
}

/** @param names of agents of the catalogue, or folders (with a `/`) of agents that are not in it */
export async function agentCheckCommand(
  output: Output,
  names: readonly string[],
  { all, ...words }: AgentCheckOptions,
): Promise<ExitCode> {
  const folders = all ? [...catalogue.keys()].map(folderOf) : names.map(folderOf)
  if (folders.length === 0) {
    throw new CommandError('which agent is to be checked?', {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead agent check --all',
    })
  }
  const reports: AgentReport[] = []
  for (const folder of folders) {
    output.talk(`checking ${folder.slice(folder.lastIndexOf('/') + 1)}`)
    reports.push(await checkFolder(folder, words))
  }
  output.data(reports, () => reports.flatMap(linesOf))
  const faulty = reports.filter(({ ok }) => !ok)
  if (faulty.length === 0) return exitCodes.completed
  const faultyNames = faulty.map(({ agent }) => agent).join(', ')
  output.problem(
    `not as the contract wants: ${faultyNames}`,
    'mend what is named above (docs/agents.md says what each action declares), then the same command',
  )
  return exitCodes.failed
}

/** @throws CommandError where there is no such agent */
function folderOf(name: string): string {
  const isFolder = name.includes('/')
  const folder = isFolder ? resolve(name) : join(projectRoot, 'agents', name)
  // A name of ours is one of the catalogue, or a folder that is to be in it.
  if ((isFolder || /^[a-z][a-z0-9-]*$/.test(name)) && existsSync(join(folder, 'agent.ts'))) {
    return folder
  }
  throw new CommandError(
    isFolder
      ? `${name} has no agent.ts`
      : `there is no agent ${name}${suggest(name, [...catalogue.keys()])}`,
    { exitCode: exitCodes.usage, next: 'npx bulkhead agent check --all' },
  )
}

function linesOf(report: AgentReport): string[] {
  const lines = table(
    report.checks.map((check) => [report.agent, check.name, stateOf(check, report)]),
  )
  const found = report.findings.map(({ code, action, message }) => {
    const where = action === '' ? report.agent : `${report.agent}.${action}`
    return `  ${code}  ${where}: ${message}`
  })
  return [...lines, ...found]
}

function stateOf({ name, tried, skipped }: CheckResult, report: AgentReport): string {
  const wrong = report.findings.filter(({ code }) => findings[code][0] === name)
  if (wrong.length > 0) return `FAILED   ${wrong.length} finding${wrong.length === 1 ? '' : 's'}`
  if (skipped !== undefined) return `skipped  ${skipped}`
  return tried === 0 ? '-        nothing of the kind' : `ok       ${tried} tried`
}
