// What the tests of the screentime agent share: a server of a test's own making behind the handler's
// `fetch`, a temporary folder, and one call with the manifest's checks around it, as the runtime has them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { type ActionContext, ActionFailure, type EgressRequest } from '../../agents/define-agent.ts'
import { agent } from '../../agents/screentime/agent.ts'
import type { manifest } from '../../agents/screentime/manifest.ts'
import { judgeResult } from '../../plan/result-rules.ts'
import { canonicalJson, type JsonValue } from '../../security/verify/canonical-json.ts'
import { idemOf } from './action-context.ts'

type Actions = typeof manifest.actions
export type Result<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

export interface ScreentimeWorld {
  readonly folder: string
  /** Paths with their queries, as they were asked. */
  readonly asked: string[]
  put(name: string, content: string | Uint8Array): void
  run<Name extends keyof Actions>(action: Name, args: object): Promise<Result<Name>>
  remove(): void
}

export interface Answer {
  readonly status?: number
  readonly body: unknown
}
/** Undefined is 404. A string goes out as it is. */
export type Answering = (path: string, query: URLSearchParams) => Answer | undefined
export type AnsweringLater = (path: string, query: URLSearchParams) => Promise<Answer>

const maxReply = 4 * 1024 * 1024

export function openWorld(now: () => number, answer: Answering | AnsweringLater): ScreentimeWorld {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-screentime-'))
  const asked: string[] = []
  const fetch: ActionContext['fetch'] = async (request: EgressRequest) => {
    const query = new URLSearchParams({ ...request.query })
    asked.push(`${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`)
    const { status = 200, body } = (await answer(request.path, query)) ?? { status: 404, body: {} }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    if (Buffer.byteLength(text) > Math.min(request.maxBytes, maxReply)) {
      throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'RESPONSE_TOO_LARGE')
    }
    return { status, headers: {}, body: text, url: `http://127.0.0.1:5600${request.path}` }
  }
  return {
    folder,
    asked,
    put: (name, content) => writeFileSync(join(folder, name), content),
    remove: () => rmSync(folder, { recursive: true, force: true }),
    async run(action, args) {
      const bound = agent.actions.get(action)
      const call = bound?.prepare(args)
      if (bound === undefined || call === undefined)
        throw new Error(`${action} refuses its arguments`)
      const none = () => Promise.reject(new Error('the agent has no tunnel and no program'))
      const secret = () => {
        throw new Error('the agent has no secret')
      }
      const other = { stream: none, connect: none, run: none }
      const given = { now, folder: () => folder, secret, fetch, ...other }
      const result = await call({ idem: idemOf(action), kind: 'do', ...given } as ActionContext)
      // As the worker and the notary judge it: bounded, of its shape, without what no result may carry.
      const judged = judgeResult(canonicalJson(result as JsonValue), bound.declaration)
      if (!judged.ok) throw new Error(`the result is refused: ${judged.fault}`)
      return judged.value as Result<typeof action>
    },
  }
}

export interface TestBucket {
  readonly type: string
  readonly hostname?: string | null
  readonly events: readonly unknown[]
}

/** A server of these buckets by id, which gives all events whatever is asked, as the worst one would. */
export function serving(buckets: Readonly<Record<string, TestBucket>>): Answering {
  return (path) => {
    if (path === '/api/0/buckets/') {
      const listed = Object.entries(buckets).map(([id, { type, hostname = 'laptop' }]) => [
        id,
        { id, type, hostname, client: 'test', created: '2026-11-01T00:00:00Z' },
      ])
      return { body: Object.fromEntries(listed) }
    }
    const [, id] = /^\/api\/0\/buckets\/(.+)\/events$/.exec(path) ?? []
    const bucket = id === undefined ? undefined : buckets[decodeURIComponent(id)]
    return bucket && { body: bucket.events }
  }
}

/** `12:30` of 2026-11-20 in UTC and how many minutes. */
export function at(clock: string, minutes: number, data: Readonly<Record<string, unknown>>) {
  return { id: 1, timestamp: `2026-11-20T${clock}:00+00:00`, duration: minutes * 60, data }
}
