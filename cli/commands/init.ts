// `init`: a first bulkhead.yaml for a person's own sources. At a terminal it asks where they are; anywhere
// else it asks nothing. Never replaces a file.

import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { catalogue } from '../../agents/catalogue.ts'
import { settingsOf } from '../../plan/agent-settings.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { toConfigurationText } from '../init-text.ts'
import type { AskPerson } from '../inline-questions.ts'
import type { Output } from '../output.ts'

export async function initCommand(
  output: Output,
  { config, ask }: { readonly config: string; readonly ask: AskPerson | undefined },
): Promise<ExitCode> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const values = ask === undefined ? new Map<string, string>() : await askForFolders(output, ask)
  write(config, toConfigurationText(catalogue, { timeZone, values }))
  output.data({ config: resolve(config), set: [...values.keys()] }, () => [`${config} is written`])
  output.talk('next: edit it, then npx bulkhead agents connect <agent>')
  output.talk(`once it runs, at the times that most people want: ${scheduleOffer()}`)
  return exitCodes.completed
}

/** Enabling one needs a platform, which a person who has just begun has not started yet. */
function scheduleOffer(): string {
  const names = listRecipes().flatMap(({ name, schedule }) =>
    schedule === undefined ? [] : [name],
  )
  return `npx bulkhead schedule add <one of ${names.join(', ')}>`
}

/** Enter alone leaves a folder for later. */
async function askForFolders(output: Output, ask: AskPerson): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  output.talk('Where are your files? Enter leaves an agent for later.')
  for (const manifest of catalogue.values()) {
    for (const { name, kind } of settingsOf(manifest)) {
      if (kind !== 'folder') continue
      const typed = await ask(`folder of ${manifest.name} (it ${manifest.summary}): `)
      // The terminal is gone: what was typed so far is kept.
      if (typed === undefined) return values
      if (typed.trim() !== '') values.set(`${manifest.name}.${name}`, toPath(typed.trim()))
    }
  }
  return values
}

/** As a shell reads it; the configuration itself knows no home. */
function toPath(typed: string): string {
  return typed.startsWith('~/') ? join(homedir(), typed.slice(2)) : typed
}

function write(config: string, text: string): void {
  try {
    writeFileSync(config, text, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    const isThere = cause.code === 'EEXIST'
    throw new CommandError(isThere ? `${config} exists` : `${config}: ${cause.message}`, {
      exitCode: exitCodes.failed,
      next: isThere ? `edit it, or npx bulkhead init --config <another file>` : 'npx bulkhead init',
      cause,
    })
  }
}
