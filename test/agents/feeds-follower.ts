// A home that follows feeds, for the tests of the feeds agent: a temporary folder, a clock that is
// moved by hand, and the sample home's web server. `run` parses as the runtime does.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import type { ActionContext } from '../../agents/define-agent.ts'
import { agent } from '../../agents/feeds/agent.ts'
import { manifest } from '../../agents/feeds/manifest.ts'
import { startWebHome, type WebHome } from '../support/web-home.ts'
import { idemOf } from './action-context.ts'

type Actions = typeof manifest.actions
export type Result<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

export interface RunOptions {
  /** Commands with the same name are the same command. */
  readonly as?: string
  readonly fetch?: ActionContext['fetch']
}

export const begin = Date.parse('2026-11-21T08:20:00Z')
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs

export interface Follower {
  readonly folder: string
  readonly web: WebHome
  now: number
  run<Name extends keyof Actions>(
    action: Name,
    args: object,
    options?: RunOptions,
  ): Promise<Result<Name>>
  urlOf(name: string): string
  subscribe(name: string, options?: RunOptions): Promise<Result<'subscribe'>>
  /** Targets of all requests so far. */
  asked(): readonly string[]
  /** Path, state and code of each feed that is followed. */
  lines(): Promise<readonly (readonly [string, string, string | null])[]>
  end(): Promise<void>
}

export async function startFollower(): Promise<Follower> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-feeds-'))
  const web = await startWebHome(() => follower.now)
  const { origin } = web.server
  const follower: Follower = {
    folder,
    web,
    now: begin,
    run: async (action, args, options = {}) => {
      const { as = `${follower.now} ${JSON.stringify(args)}`, fetch = web.fetch } = options
      const call = agent.actions.get(action)?.prepare(args)
      if (call === undefined) throw new Error(`${action} refuses its arguments`)
      const now = () => follower.now
      const connect = () => Promise.reject(new Error('the agent has no tunnel and no program'))
      const none = { stream: connect, connect, run: connect }
      const given = { now, folder: () => folder, secret: () => '', fetch, ...none }
      const result = await call({ idem: idemOf(as), kind: 'do', ...given })
      return manifest.actions[action].output.parse(result) as Result<typeof action>
    },
    urlOf: (name) => `${origin}/feeds/${name}`,
    subscribe: (name, options) => follower.run('subscribe', { url: follower.urlOf(name) }, options),
    asked: () => web.server.requests.map(({ target }) => target),
    lines: async () => {
      const { feeds } = await follower.run('list', {})
      return feeds.map(({ url, state, code }) => [url.slice(origin.length), state, code] as const)
    },
    end: async () => {
      await web.server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return follower
}
