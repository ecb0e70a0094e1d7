// The sample home of `start` and `up`: files below the state folder, and the web server that its feeds and its
// weather come from, which lives in this process as long as the command does. Invariant: nothing is
// written beside a person's own files.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { generateHome, webPortOf } from '../examples/home/generate.ts'
import { type HomeServer, startHomeServer } from '../examples/home/server.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { Output } from './output.ts'

export interface SampleHome {
  readonly configFile: string
  close(): Promise<void>
}

/** True when the configuration is the one that the sample home of this state folder was written with. */
export async function isSampleHome(state: string, config: string | undefined): Promise<boolean> {
  if (config === undefined || resolve(config) !== join(resolve(state), 'bulkhead.yaml'))
    return false
  return existsSync(config) && (await webPortOf(state)) !== undefined
}

/** @throws CommandError when the files cannot be written */
export async function openSampleHome(state: string, output: Output): Promise<SampleHome> {
  let web: HomeServer | undefined
  try {
    if (!mayHoldHome(state)) throw unusable(state, 'something else is there')
    const port = await webPortOf(state)
    web = await startWeb(port, output)
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    const home = { folder: state, today: today(timeZone), timeZone, seed: 1 }
    await generateHome({ ...home, web: web?.origin ?? `http://127.0.0.1:${port}` })
    return {
      configFile: join(state, 'bulkhead.yaml'),
      close: async () => web?.close(),
    }
  } catch (cause) {
    await web?.close()
    // What the system refuses: rights, a full disk, a file where a folder should be.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    throw unusable(state, cause.message, cause)
  }
}

function unusable(state: string, reason: string, cause?: unknown): CommandError {
  return new CommandError(`the sample home cannot be written to ${state}: ${reason}`, {
    exitCode: exitCodes.failed,
    next: 'npm start -- --state <a folder of yours>',
    cause,
  })
}

/** Undefined where another program has the port that the home was written with. */
async function startWeb(port: number | undefined, output: Output): Promise<HomeServer | undefined> {
  try {
    return await startHomeServer(port === undefined ? {} : { port })
  } catch (error) {
    if (port === undefined) throw error
    output.talk(`no feeds and no weather: another program has port ${port} of the sample home`)
    return undefined
  }
}

function today(timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date())
}

/** New, empty, or a state folder of this user. */
function mayHoldHome(state: string): boolean {
  if (!existsSync(state)) return true
  const uid = process.getuid?.()
  if (uid !== undefined && statSync(state).uid !== uid) return false
  const names = readdirSync(state)
  return names.length === 0 || names.includes('bulkhead.yaml') || names.includes('agents')
}
