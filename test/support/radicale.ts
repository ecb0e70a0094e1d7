// A real CalDAV server for one test: Radicale on loopback, with an account and a storage of its own,
// and the `fetch` that a handler gets, which decides with the gateway's own rules on the manifest's
// declarations and sends with the gateway's own sender. Only the token is missing.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import type { ActionContext } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { EgressError } from '../../egress/codes.ts'
import { isSafe } from '../../egress/contract.ts'
import { depart } from '../../egress/departure.ts'
import { decideRequest } from '../../egress/rules.ts'
import type { AgentManifest } from '../../plan/manifest.ts'
import type { Installed } from './installed.ts'
import { endServer, untilAnswers } from './live-server.ts'

export const credential = 'anna:secret'
const authorization = `Basic ${Buffer.from(credential).toString('base64')}`

export class Radicale {
  readonly origin: string
  readonly #child: ChildProcess
  readonly #folder: string
  /** Requests that handlers have made: method and path. */
  readonly asked: string[] = []

  private constructor(origin: string, child: ChildProcess, folder: string) {
    this.origin = origin
    this.#child = child
    this.#folder = folder
  }

  static async start({ command, args, env }: Installed): Promise<Radicale> {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-radicale-'))
    const port = await getPort({ host: '127.0.0.1' })
    mkdirSync(join(folder, 'storage'))
    writeFileSync(join(folder, 'users'), `${credential}\n`)
    const config = [
      '[server]',
      `hosts = 127.0.0.1:${port}`,
      '[auth]',
      'type = htpasswd',
      `htpasswd_filename = ${join(folder, 'users')}`,
      'htpasswd_encryption = plain',
      'delay = 0',
      '[storage]',
      `filesystem_folder = ${join(folder, 'storage')}`,
      '[logging]',
      'level = warning',
      '',
    ]
    writeFileSync(join(folder, 'config'), config.join('\n'))
    const child = spawn(command, [...args, '--config', join(folder, 'config')], {
      env,
      stdio: 'ignore',
    })
    const server = new Radicale(`http://127.0.0.1:${port}`, child, folder)
    await untilAnswers(child, async () => (await server.send('PROPFIND', '/')) === 207)
    return server
  }

  /** As another program of the same person would. @returns the status */
  async send(
    method: string,
    path: string,
    { body, headers }: { readonly body?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<number> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    await response.arrayBuffer()
    return response.status
  }

  async text(path: string): Promise<string> {
    const response = await fetch(`${this.origin}${path}`, { headers: { authorization } })
    return response.ok ? response.text() : ''
  }

  /** A collection of one kind of component. */
  async collection(path: string, name: string, component: 'VEVENT' | 'VTODO'): Promise<void> {
    const body = `<?xml version="1.0"?><c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
      <d:set><d:prop><d:displayname>${name}</d:displayname><c:supported-calendar-component-set>
      <c:comp name="${component}"/></c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>`
    const status = await this.send('MKCALENDAR', path, { body })
    if (status !== 201) throw new Error(`status ${status}`)
  }

  /** What a handler of that action asks through. */
  fetchFor(manifest: AgentManifest, action: string): ActionContext['fetch'] {
    return gatewayLike({ manifest, action, origin: this.origin, asked: this.asked })
  }

  /** May be called again. */
  async stop(): Promise<void> {
    await endServer(this.#child, 'SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export interface GatewayLike {
  readonly manifest: AgentManifest
  readonly action: string
  /** Of every declaration of the manifest. */
  readonly origin: string
  readonly asked?: string[]
}

/** The gateway's decision and its sender, without token and journal. */
export function gatewayLike({
  manifest,
  action,
  origin,
  asked = [],
}: GatewayLike): ActionContext['fetch'] {
  const egress = (manifest.egress ?? []).map(({ id, allow }) => ({
    id,
    origins: [origin],
    allow,
    privateAddress: false,
  }))
  const actions = Object.fromEntries(
    Object.entries(manifest.actions).map(([name, one]) => [name, one.egress ?? []]),
  )
  const places = { socket: '', epochFile: '', nkeyFile: '' }
  const agent = { agent: manifest.name, n: 0, ...places, egress, actions }
  return async (request) => {
    asked.push(`${request.method} ${request.path}`)
    try {
      const departure = decideRequest({ agent, action, args: {}, request })
      const { status, headers, body } = await depart(departure, {
        address: '127.0.0.1',
        credential: ['authorization', authorization],
        trusted: undefined,
        listener: undefined,
        signal: AbortSignal.timeout(12_000),
      })
      return { status, headers, body: body.toString('utf8'), url: `${origin}${request.path}` }
    } catch (error) {
      if (!(error instanceof EgressError)) throw error
      if (error.code === 'RESPONSE_TOO_LARGE' && isSafe(request.method)) {
        throw new ActionFailure('LIMIT_EXCEEDED', 'final', error.code)
      }
      const isUnknown = ['TIMEOUT', 'BROKEN_OFF', 'RESPONSE_INVALID'].includes(error.code)
      if (isUnknown && !isSafe(request.method)) throw new EgressOutcomeUnknown(error.code)
      throw new ActionFailure('UNAVAILABLE', isUnknown ? 'absent' : 'final', error.code)
    }
  }
}
