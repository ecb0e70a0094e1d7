// Where the command looks for things: the only file of cli/ that reads the environment.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Terminal } from './pictures.ts'

/** The root of the clone this command belongs to. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)))

function stateBase(): string {
  return process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state')
}

/** The person's own deployment. */
export function defaultState(): string {
  return join(stateBase(), 'bulkhead')
}

/** The deployment of `npm start` on the sample home, apart from the person's own. */
export function sampleState(): string {
  return join(stateBase(), 'bulkhead-sample')
}

function givenState(option: string | undefined): string | undefined {
  const given = option ?? process.env['BULKHEAD_STATE']
  return given === undefined || given === '' ? undefined : resolve(given)
}

/** The state folder of `npm start`: the sample home has one of its own. */
export function chooseStartState(option: string | undefined, isSample: boolean): string {
  return givenState(option) ?? (isSample ? sampleState() : defaultState())
}

/**
 * The state folder a command works on: `--state`, else BULKHEAD_STATE, else the person's own, else
 * the sample home's where only that exists.
 */
export function chooseState(option: string | undefined): string {
  const given = givenState(option)
  if (given !== undefined) return given
  const own = defaultState()
  return existsSync(own) || !existsSync(sampleState()) ? own : sampleState()
}

/** Where a person's programs are; relative folders mean whatever the command is typed in, and are left out. */
export function programFolders(): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
}

/** What answers are shown on; undefined where standard output is no terminal. */
export function terminalOf({
  isTTY,
  columns,
}: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): Terminal | undefined {
  if (isTTY !== true) return undefined
  const { LC_ALL, LC_CTYPE, LANG, TERM } = process.env
  const locale = LC_ALL || LC_CTYPE || LANG || ''
  // The console of Linux has no eighths of a block in its fonts.
  const isPlain = TERM === 'dumb' || TERM === 'linux' || !/^$|utf-?8/i.test(locale)
  return { columns: columns > 0 ? columns : undefined, hasBlocks: !isPlain }
}

/** `npm start` leaves after the run where nobody could press Ctrl-C. */
export function isContinuousIntegration(): boolean {
  const value = process.env['CI']
  return value !== undefined && value !== '' && value !== 'false'
}
