// Looks at what a setting of an agent names: a folder that is there, a server that answers, a secret that
// can be had, a program that can be started. Reads no file of the person's and shows no secret to anybody.

import { accessSync, constants, statSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { dirname, isAbsolute, resolve } from 'node:path'
import type { AgentSetting } from '../plan/agent-settings.ts'
import { parseOrigin } from '../security/host.ts'

export type Looked =
  | { readonly ok: true; readonly message: string }
  | { readonly ok: false; readonly message: string }

/** A server that takes longer to take a connection is as good as none. */
const answerMs = 10_000

/** @param configFile paths are relative to it */
export async function lookAtSetting(
  { kind }: AgentSetting,
  value: string,
  configFile: string,
): Promise<Looked> {
  switch (kind) {
    case 'folder':
      return lookAtFolder(resolve(dirname(configFile), value))
    case 'origins':
      return lookAtServers(value)
    case 'secret':
      return lookAtSecret(value, configFile)
    case 'program':
      return lookAtProgram(value)
    default:
      return kind satisfies never
  }
}

const good = (message: string): Looked => ({ ok: true, message })
const bad = (message: string): Looked => ({ ok: false, message })

function lookAtFolder(folder: string): Looked {
  const entry = statSync(folder, { throwIfNoEntry: false })
  if (entry === undefined) return bad(`${folder} is not there`)
  return entry.isDirectory() ? good(`${folder} is a folder`) : bad(`${folder} is not a folder`)
}

async function lookAtServers(value: string): Promise<Looked> {
  const answers: string[] = []
  for (const text of value.split(',').map((part) => part.trim())) {
    const parsed = parseOrigin(text)
    if (!parsed.ok) return bad(`${text} is no origin as https://host[:port]: ${parsed.fault}`)
    const { host, port } = parsed.origin
    const failure = await knock(host, port)
    if (failure !== undefined) return bad(`${host}:${port} does not answer: ${failure}`)
    answers.push(`${host}:${port}`)
  }
  return good(`${answers.join(', ')} answers`)
}

/** Undefined when the server takes a connection. Nothing is sent: what may be asked is the gateway's. */
function knock(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connectTcp({ host, port, timeout: answerMs })
    const end = (failure: string | undefined) => {
      socket.destroy()
      done(failure)
    }
    socket.once('connect', () => end(undefined))
    socket.once('timeout', () => end('no connection in time'))
    socket.once('error', (error) => end('code' in error ? String(error.code) : error.message))
  })
}

function lookAtSecret(reference: string, configFile: string): Looked {
  const [, scheme, name = ''] = /^(file|env|systemd-cred):\/\/(.+)$/.exec(reference) ?? []
  // What is wrong is not quoted: it may be the secret itself.
  if (scheme === undefined) return bad('write file://path, env://NAME or systemd-cred://name')
  if (scheme !== 'file') return good(`is looked up as ${scheme} when the platform starts`)
  const file = resolve(dirname(configFile), name)
  const entry = statSync(file, { throwIfNoEntry: false })
  if (entry?.isFile() !== true) return bad(`${file} is no file`)
  if ((entry.mode & 0o077) !== 0) return bad(`others may read ${file}: chmod 600 ${file}`)
  return good(`${file} is a file that only you read`)
}

function lookAtProgram(path: string): Looked {
  if (!isAbsolute(path)) return bad(`${path} is not an absolute path`)
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return bad(`${path} cannot be started`)
  }
  return statSync(path).isFile() ? good(`${path} can be started`) : bad(`${path} is no program`)
}
