// A real ActivityWatch server for one test: on loopback, with data folders of its own, filled over its
// own interface. It runs as it does for people, not in its testing mode.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import type { Installed } from './installed.ts'
import { endServer, untilAnswers } from './live-server.ts'

export interface ActivityRecord {
  readonly timestamp: string
  /** Seconds. */
  readonly duration: number
  readonly data: Readonly<Record<string, unknown>>
}

export class ActivityWatch {
  readonly origin: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(origin: string, child: ChildProcess, folder: string) {
    this.origin = origin
    this.#child = child
    this.#folder = folder
  }

  static async start({ command, args, env }: Installed): Promise<ActivityWatch> {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-aw-'))
    const port = await getPort({ host: '127.0.0.1' })
    const own = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    const child = spawn(command, [...args, '--host', '127.0.0.1', '--port', String(port)], {
      env: { ...env, ...own, XDG_CACHE_HOME: folder, XDG_STATE_HOME: folder },
      stdio: 'ignore',
    })
    const server = new ActivityWatch(`http://127.0.0.1:${port}`, child, folder)
    await untilAnswers(child, async () => (await server.send('GET', '/api/0/info')) !== undefined)
    return server
  }

  /** @throws Error for any status but 200 */
  async send(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  async fill(
    bucket: { readonly id: string; readonly type: string; readonly hostname: string },
    records: readonly ActivityRecord[],
  ): Promise<void> {
    const { id, type, hostname } = bucket
    await this.send('POST', `/api/0/buckets/${id}`, { client: 'test', type, hostname })
    for (let at = 0; at < records.length; at += 1_000) {
      await this.send('POST', `/api/0/buckets/${id}/events`, records.slice(at, at + 1_000))
    }
  }

  async stop(): Promise<void> {
    await endServer(this.#child, 'SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
