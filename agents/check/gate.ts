// The gateway of a check: asks the same rules as the real one (egress/rules.ts) whether a request may
// leave, and gives what the example's servers say. Nothing leaves this process.

import { EgressError } from '../../egress/codes.ts'
import type { GatewayAgent, ResolvedEgress } from '../../egress/contract.ts'
import { decideRequest, decideTunnel } from '../../egress/rules.ts'
import { choicesOf } from '../../plan/egress-declaration.ts'
import type { AgentManifest, EgressDeclaration } from '../../plan/manifest.ts'
import { parseOrigin, toOrigin } from '../../security/host.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { toStream } from '../egress-stream.ts'
import type { ExampleServers, ExampleWorld } from './examples-contract.ts'

export interface Gate {
  readonly fetch: ActionContext['fetch']
  readonly stream: ActionContext['stream']
  readonly connect: ActionContext['connect']
}

interface Asker {
  readonly manifest: AgentManifest
  readonly world: ExampleWorld
  readonly servers: ExampleServers | undefined
  readonly action: string
  readonly args: unknown
  /** Told the code of every request that is refused. */
  readonly onRefusal: (code: EgressError['code']) => void
}

export function createGate(asker: Asker): Gate {
  const agent = toGatewayAgent(asker.manifest, asker.world)
  const { action, args } = asker
  const judged = <T>(decide: () => T): T => {
    try {
      return decide()
    } catch (error) {
      if (!(error instanceof EgressError)) throw error
      asker.onRefusal(error.code)
      throw new ActionFailure('UNAVAILABLE', 'final', `the gateway refuses: ${error.code}`)
    }
  }
  const fetch: Gate['fetch'] = async (request) => {
    const departure = judged(() => decideRequest({ agent, action, args, request }))
    const origin = departure.origin.text
    const reply = asker.servers?.answer({ ...request, origin })
    const body = reply?.body ?? ''
    if (Buffer.byteLength(body) > request.maxBytes) {
      throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'the reply is longer than asked for')
    }
    const url = `${origin}${departure.target}`
    return { status: reply?.status ?? 404, headers: reply?.headers ?? {}, body, url }
  }
  return {
    fetch,
    stream: async (request) => toStream(await fetch(request)),
    connect: async ({ egress, host, port }) => {
      judged(() => decideTunnel({ agent, action, egress, target: `${host}:${port}` }))
      throw new ActionFailure('UNAVAILABLE', 'absent', 'a check has no server behind a tunnel')
    },
  }
}

function toGatewayAgent(manifest: AgentManifest, world: ExampleWorld): GatewayAgent {
  return {
    agent: manifest.name,
    n: 0,
    socket: '',
    epochFile: '',
    nkeyFile: '',
    egress: (manifest.egress ?? []).map((declaration) => resolve(declaration, world)),
    actions: Object.fromEntries(
      Object.entries(manifest.actions).map(([name, action]) => [name, action.egress ?? []]),
    ),
    choices: choicesOf(manifest.actions),
  }
}

function resolve(declaration: EgressDeclaration, world: ExampleWorld): ResolvedEgress {
  const { id, host, port, protocol, allow } = declaration
  const set =
    world.origins !== undefined && Object.hasOwn(world.origins, id) ? world.origins[id] : []
  return {
    id,
    origins:
      typeof host === 'string'
        ? [toOrigin(protocol, host, port).text]
        : (set ?? []).map(readOrigin),
    ...(typeof host === 'string' ? {} : { setting: host.config }),
    allow: allow.map(({ methods, path, bind, query }) => ({
      methods,
      path,
      ...(bind === undefined ? {} : { bind }),
      ...(query === undefined ? {} : { query }),
    })),
    privateAddress: declaration.privateAddress === true,
  }
}

/** @throws Error when the example names what is no origin */
function readOrigin(text: string): string {
  const parsed = parseOrigin(text)
  if (!parsed.ok) throw new Error(`the example's origin ${text} is refused: ${parsed.fault}`)
  return parsed.origin.text
}
