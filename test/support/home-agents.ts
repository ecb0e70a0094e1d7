// The agents of a generated sample home, asked in process: folders, secrets and programs as its own
// bulkhead.yaml names them, its web over real HTTP. What a sandbox adds is not here.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { agent as backup } from '../../agents/backup/agent.ts'
import { agent as calendar } from '../../agents/calendar/agent.ts'
import type { ActionContext, AgentDefinition } from '../../agents/define-agent.ts'
import { agent as finance } from '../../agents/finance/agent.ts'
import { agent as health } from '../../agents/health/agent.ts'
import { agent as reminders } from '../../agents/reminders/agent.ts'
import { agent as screentime } from '../../agents/screentime/agent.ts'
import { parseConfiguration } from '../../plan/configuration.ts'
import { judgeResult } from '../../plan/result-rules.ts'
import { canonicalJson, type JsonValue } from '../../security/verify/canonical-json.ts'
import { contextOf, idemOf } from '../agents/action-context.ts'
import type { Installed } from './installed.ts'
import { runnerOf } from './installed-runner.ts'
import type { WebHome } from './web-home.ts'

const agents = { backup, calendar, finance, health, reminders, screentime }
export type HomeAgent = keyof typeof agents

export interface HomeAgentsInput {
  /** The state folder that the home was generated into. */
  readonly folder: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly web: WebHome
  readonly programs: Readonly<Record<string, Installed>>
}

/** Asks one agent of the home, and judges its answer as the worker would. */
export type AskHome = (agent: HomeAgent, action: string, args: object) => Promise<JsonValue>

export function askHome({ folder, now, web, programs }: HomeAgentsInput): AskHome {
  const text = readFileSync(join(folder, 'bulkhead.yaml'), 'utf8')
  const parsed = parseConfiguration(text, 'bulkhead.yaml')
  if (!parsed.ok) throw new Error('the home has no configuration')
  const settings = parsed.configuration.agents ?? {}
  const runner = runnerOf(programs)
  let calls = 0
  return async (name, action, args) => {
    const agent: AgentDefinition = agents[name]
    const bound = agent.actions.get(action)
    const call = bound?.prepare(args)
    if (bound === undefined || call === undefined)
      throw new Error(`${action} refuses its arguments`)
    const set = (key: string) => settings[name]?.[key.slice(key.indexOf('.') + 1)]
    const context: ActionContext = {
      ...contextOf({ folder, now }, idemOf(`${++calls}`)),
      folder: (at) => {
        const from = agent.manifest.mounts.find((mount) => mount.at === at)?.from.config ?? ''
        return join(folder, set(from) ?? '')
      },
      secret: (secret) => {
        const from = agent.manifest.secrets?.find((one) => one.name === secret)?.from.config ?? ''
        return readFileSync(join(folder, (set(from) ?? '').replace('file://', '')), 'utf8')
      },
      fetch: web.fetch,
      run: (request) => runner(request, new AbortController().signal),
    }
    const result = (await call(context)) as JsonValue
    const judged = judgeResult(canonicalJson(result), bound.declaration)
    if (!judged.ok) throw new Error(`the result is refused: ${judged.fault}`)
    return judged.value as JsonValue
  }
}
