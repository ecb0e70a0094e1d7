// The second half of `agents connect`: the agent itself is asked, as in any run, whether what it is set to
// works. Needs a platform that was started with these settings, and says so where there is none: nothing
// counts as tried that was not.

import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { AgentManifest } from '../../plan/manifest.ts'
import { parseOrigin } from '../../security/host.ts'
import { type ConnectionLook, connectionLooks } from '../connection-looks.ts'
import { exitCodes } from '../exit-codes.ts'
import { wordsFor } from '../failure-words.ts'
import type { Output } from '../output.ts'
import type { RunDocument } from '../run-view.ts'
import { findDeployment, withSession } from '../session.ts'
import { readReach, type WrittenReach } from '../set-up-agents.ts'
import { drawRequestId, performRun } from './run.ts'

export interface Attempted {
  /** The action that was asked; null where none was. */
  readonly action: string | null
  readonly state: 'ok' | 'FAILED' | 'not tried'
  readonly message: string
  /** To type next, where it is not ok. */
  readonly next?: string
}

export interface AttemptInput {
  readonly manifest: AgentManifest
  readonly state: string
  /** The configuration, to whose place paths are relative. */
  readonly config: string
  /** Settings and their values, as they were looked at. */
  readonly values: ReadonlyMap<string, string>
  /** Some of them stand on the command line only. */
  readonly isTyped: boolean
}

type AgentReach = WrittenReach['agents'][string]

export async function attemptConnection(
  output: Output,
  input: AttemptInput,
): Promise<readonly Attempted[]> {
  const { manifest, state, config, values, isTyped } = input
  const looks = Object.hasOwn(connectionLooks, manifest.name)
    ? (connectionLooks[manifest.name] ?? [])
    : []
  const start = `npx bulkhead up --config ${config}   then   npx bulkhead agents connect ${manifest.name}`
  const untried = (message: string, next: string): readonly Attempted[] => [
    { action: null, state: 'not tried', message, next },
  ]
  if (looks.length === 0) {
    return untried('nothing of it can be asked without a purpose', 'npx bulkhead recipes')
  }
  if (isTyped) {
    return untried(
      'the agent is asked once the settings are in the file',
      `edit ${config}, ${start}`,
    )
  }
  if (findDeployment(state) === undefined) {
    return untried('the platform is not running: the agent itself was not asked', start)
  }
  const reach = readReach(state)
  const own = reach === undefined ? undefined : ownReach(reach, manifest.name)
  const other = own === undefined ? manifest.name : otherSetting(manifest, { own, values, config })
  if (own === undefined || other !== undefined) {
    const message = `the platform was started with other settings (${other}): the agent was not asked`
    return untried(message, `npx bulkhead down   then   ${start}`)
  }
  const asked = looks.filter(({ action }) => canAsk(manifest, action, own))
  return await withSession(state, async (session) => {
    const attempts: Attempted[] = []
    for (const look of asked) {
      const { name } = manifest
      const source = planOf(name, look)
      const run = { kind: 'plan', name: `connect-${name}`, source } as const
      const options = { inputs: {}, requestId: drawRequestId(run.name, new Date()) }
      const { document, exitCode } = await performRun(session, run, output, options)
      const isGood = exitCode === exitCodes.completed
      attempts.push(isGood ? succeeded(look, document) : failed(name, look, { document, start }))
    }
    return attempts
  })
}

function ownReach({ agents }: WrittenReach, name: string): AgentReach | undefined {
  return Object.hasOwn(agents, `${name}.0`) ? agents[`${name}.0`] : undefined
}

/** What the action asks is there: an agent without its server is asked what it can do without. */
function canAsk({ egress = [], actions }: AgentManifest, action: string, own: AgentReach): boolean {
  const declared = Object.hasOwn(actions, action) ? (actions[action]?.egress ?? []) : []
  return declared.every((id) => {
    const isFixed = egress.some((one) => one.id === id && typeof one.host === 'string')
    return isFixed || (own.egress.find((one) => one.id === id)?.origins ?? []).length > 0
  })
}

/** The first folder or server that the running platform has and the file has otherwise. */
function otherSetting(
  { mounts, egress = [] }: AgentManifest,
  { own, values, config }: { readonly own: AgentReach } & Pick<AttemptInput, 'values' | 'config'>,
): string | undefined {
  const nameOf = (key: string) => key.slice(key.indexOf('.') + 1)
  for (const { from } of mounts) {
    const value = values.get(nameOf(from.config))
    const running = own.mounts.find((one) => one.from === from.config)?.folder
    if (value === undefined) continue
    if (placeOf(resolve(dirname(config), value)) !== placeOf(running ?? '')) return from.config
  }
  for (const { id, host } of egress) {
    const value = typeof host === 'string' ? undefined : values.get(nameOf(host.config))
    if (value === undefined || typeof host === 'string') continue
    const running = own.egress.find((one) => one.id === id)?.origins ?? []
    if (originsOf(value.split(',')) !== originsOf(running)) return host.config
  }
  return undefined
}

function placeOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}

function originsOf(texts: readonly string[]): string {
  const places = texts.map((text) => {
    const parsed = parseOrigin(text.trim())
    return parsed.ok ? `${parsed.origin.host}:${parsed.origin.port}` : text.trim()
  })
  return [...new Set(places)].toSorted((one, other) => (one < other ? -1 : 1)).join()
}

/** One step, asked twice where the first time came to nothing. JSON is YAML. */
export function planOf(agent: string, { action, args, template }: ConnectionLook): string {
  return JSON.stringify({
    version: 1,
    goal: `Find out whether ${agent} works as it is set up`,
    steps: [{ id: 'asked', agent, action, args, attempts: 2 }],
    answer: { from: ['asked'], template },
  })
}

function succeeded({ action }: ConnectionLook, { answer }: RunDocument): Attempted {
  return { action, state: 'ok', message: (answer ?? '').trim() }
}

function failed(
  agent: string,
  { action }: ConnectionLook,
  { document, start }: { readonly document: RunDocument; readonly start: string },
): Attempted {
  const [step] = document.steps
  const code = step?.code ?? document.code
  const words =
    meanings[code ?? ''] ?? wordsFor(agent, code)?.what ?? `it came to ${document.status}`
  const why = code === undefined ? '' : ` (${code})`
  return {
    action,
    state: 'FAILED',
    message: `${words}${why}`,
    next: `npx bulkhead runs show ${document.requestId}   or mend the settings,   npx bulkhead down   then   ${start}`,
  }
}

/** What the codes mean of a first question to a server or a program. */
const meanings: Readonly<Record<string, string | undefined>> = {
  UNAVAILABLE:
    'something answers and refuses: is the credential right, and is it the right server or program?',
  EFFECT_ABSENT: 'nothing answers there now',
  CORRUPT_DATA:
    'what answers is not what this agent can read: is it the right server, file or folder?',
}
