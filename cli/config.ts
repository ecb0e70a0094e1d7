// Where the command looks for things: the only file of cli/ that reads the environment.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** `npm start` leaves after the run where nobody could press Ctrl-C. */
export function isContinuousIntegration(): boolean {
  const value = process.env['CI']
  return value !== undefined && value !== '' && value !== 'false'
}
