// Which repositories there are, whose they are, and a tool for one of them: found by their files, opened
// with the password that the person keeps for it. A tool lives as long as its use, and so does its scratch
// folder, in which no password is ever put.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ActionContext } from '../define-agent.ts'
import { ActionFailure } from '../define-agent.ts'
import { openBorg, readBorgConfig } from './borg.ts'
import { passwordsSecret, repositoriesAt, repositoryPattern, scratchAt } from './manifest.ts'
import { openRestic } from './restic.ts'
import { type BackupTool, ToolError, toFailure } from './tool.ts'

export interface Repository {
  readonly name: string
  readonly folder: string
  readonly program: 'restic' | 'borg'
}

/** In the order of their names; folders that are no repository are left out. */
export function listRepositories(context: Pick<ActionContext, 'folder'>): readonly Repository[] {
  const root = context.folder(repositoriesAt)
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && repositoryPattern.test(entry.name))
    .map(({ name }) => ({ name, folder: join(root, name) }))
    .flatMap((one) => {
      const program = programOf(one.folder)
      return program === undefined ? [] : [{ ...one, program }]
    })
    .toSorted((one, other) => one.name.localeCompare(other.name))
}

/** restic: its own layout; borg: the first line of its configuration (both documented by them). */
function programOf(folder: string): Repository['program'] | undefined {
  const parts = ['config', 'keys', 'snapshots', 'index', 'data']
  try {
    if (parts.every((name) => existsSync(join(folder, name)))) return 'restic'
    return /^\[repository\]$/m.test(readBorgConfig(folder)) ? 'borg' : undefined
  } catch {
    // Not to be read, or no file: nobody's repository.
    return undefined
  }
}

/** @throws ActionFailure NOT_FOUND */
export function findRepository(context: Pick<ActionContext, 'folder'>, name: string): Repository {
  const found = listRepositories(context).find((one) => one.name === name)
  if (found === undefined) throw new ActionFailure('NOT_FOUND', 'final', `no repository ${name}`)
  return found
}

/** Undefined where the person keeps none for it. */
function passwordOf(context: Pick<ActionContext, 'secret'>, name: string): string | undefined {
  const lines = context.secret(passwordsSecret).split(/\r?\n/)
  const line = lines.find((one) => one.startsWith(`${name}:`))
  return line?.slice(name.length + 1).trim()
}

/**
 * Opens the repository's tool for as long as `use` takes.
 * @throws ToolError, ActionFailure
 */
export async function withTool<Result>(
  context: ActionContext,
  { name, folder, program }: Repository,
  use: (tool: BackupTool) => Promise<Result>,
): Promise<Result> {
  const password = passwordOf(context, name)
  if (password === undefined) {
    throw new ActionFailure('INVALID_INPUT', 'final', `no password is kept for ${name}`)
  }
  const root = context.folder(scratchAt)
  sweep(root, context.now())
  const scratch = mkdtempSync(join(root, `${prefix}tool-`))
  mkdirSync(join(scratch, 'borg'))
  try {
    const open = program === 'restic' ? openRestic : openBorg
    return await use(open({ context, folder, password, scratch }))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Of folders of ours in the scratch folder. */
const prefix = 'bulkhead-'
const dayMs = 24 * 3_600_000

/** What a life that was cut off left behind. No action takes a day. */
function sweep(root: string, now: number): void {
  for (const name of readdirSync(root).filter((one) => one.startsWith(prefix))) {
    const { mtimeMs } = statSync(join(root, name), { throwIfNoEntry: false }) ?? { mtimeMs: now }
    if (mtimeMs < now - dayMs) rmSync(join(root, name), { recursive: true, force: true })
  }
}

/** As `withTool`, for one repository that was named. @throws ActionFailure */
export async function inRepository<Result>(
  context: ActionContext,
  name: string,
  use: (tool: BackupTool) => Promise<Result>,
): Promise<Result> {
  const repository = findRepository(context, name)
  try {
    return await withTool(context, repository, use)
  } catch (error) {
    if (error instanceof ToolError) throw toFailure(error)
    throw error
  }
}
