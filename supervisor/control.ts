// The control socket: HTTP over a Unix socket that only its owner can open. Status, agents and stop
// go here and not over the bus, so that they work when the bus does not.

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerPeople } from './control-people.ts'
import { answerPolicy, type PolicyActions } from './control-policy.ts'
import { answerQuarantine, type QuarantineActions } from './control-quarantine.ts'
import type { Enrolment } from './enrolment.ts'
import { answerKeys } from './rotation/control.ts'
import type { Rotations } from './rotation/orchestrator.ts'
import type { AgentSummary, AgentView, StatusView } from './views.ts'

export interface ControlActions {
  readonly status: () => StatusView
  readonly agents: () => readonly AgentSummary[]
  /** Undefined when there is no such agent. */
  readonly agent: (name: string) => AgentView | undefined
  readonly quarantine: QuarantineActions
  /** Undefined while it starts. */
  readonly keys: () => Rotations | undefined
  /** Undefined while it starts. */
  readonly people: () => Enrolment | undefined
  readonly policy: PolicyActions
  /** Begins to stop the platform; returns at once. */
  readonly down: () => void
}

export interface ControlServer {
  close(): Promise<void>
}

export async function openControl(socket: string, actions: ControlActions): Promise<ControlServer> {
  const server = createServer((request, response) => void answer(request, response, actions))
  rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
  chmodSync(socket, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  actions: ControlActions,
): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const call = `${request.method} ${path}`
  const parameters = new URLSearchParams(query)
  const changed = answerQuarantine(call, parameters, actions.quarantine)
  const { status, body } =
    (await changed) ??
    (await answerKeys(call, parameters, actions.keys())) ??
    (await answerPeople(call, parameters, actions.people())) ??
    (await answerPolicy(call, actions.policy)) ??
    decide(call, actions)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function decide(call: string, actions: ControlActions): Answer {
  switch (call) {
    case 'GET /status':
      return { status: 200, body: actions.status() }
    case 'GET /agents':
      return { status: 200, body: actions.agents() }
    case 'POST /down':
      // After the answer is on its way: the socket is one of the things that close.
      setImmediate(actions.down)
      return { status: 202, body: { stopping: true } }
    default: {
      const name = /^GET \/agents\/([a-z][a-z0-9-]*)$/.exec(call)?.[1]
      const agent = name === undefined ? undefined : actions.agent(name)
      if (agent !== undefined) return { status: 200, body: agent }
      return {
        status: 404,
        body: { error: name === undefined ? 'no such call' : `no agent ${name}` },
      }
    }
  }
}
