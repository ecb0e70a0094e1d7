// The sample home of `start` and `up`: files below the state folder, and the web server that its feeds and its
// weather come from, which lives in this process as long as the command does. Invariant: nothing is
// written beside a person's own files.

import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BackupsError } from '../examples/home/backup.ts'
import type { HomePrograms } from '../examples/home/configuration.ts'
import { generateHome, type HomeInput, webPortOf } from '../examples/home/generate.ts'
import { type HomeServer, startHomeServer } from '../examples/home/server.ts'
import { programFolders } from './config.ts'
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
    const address = web?.origin ?? `http://127.0.0.1:${port}`
    await generateWith(homePrograms(), { ...home, web: address }, output)
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

const backupsNeed = 'sudo apt-get install restic, then npm start'

/** A restic that does not do it costs the home its backups and nothing else. */
async function generateWith(
  programs: HomePrograms,
  home: HomeInput,
  output: Output,
): Promise<void> {
  const isNew = !existsSync(join(home.folder, 'agents', 'backup', 'repositories'))
  if (programs.restic === undefined) {
    if (isNew) output.talk(`the sample home has no backups; to have them: ${backupsNeed}`)
    return generateHome({ ...home, programs })
  }
  if (isNew) output.talk('making a month of backups with restic, once')
  try {
    await generateHome({ ...home, programs })
  } catch (error) {
    if (!(error instanceof BackupsError)) throw error
    output.talk(`no backups in the sample home: ${error.message}`)
    await generateHome({ ...home, programs: { hledger: programs.hledger } })
  }
}

function homePrograms(): HomePrograms {
  const folders = programFolders()
  return { hledger: findProgram('hledger', folders), restic: findProgram('restic', folders) }
}

/** The first file of that name that may be executed. */
export function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
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
