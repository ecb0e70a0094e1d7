// Joins a manifest with its handlers into the one thing the runtime runs. Invariant: an action that
// the manifest declares has a handler (a missing one does not compile), and the runtime finds both
// in a Map, so that no name from outside ever indexes an object. No I/O here, and no bus: an agent's
// handlers must be testable with nothing but this file.

import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import type { EgressRequest, TunnelRequest } from '../egress/contract.ts'
import type { ActionManifest, AgentManifest } from '../plan/manifest.ts'
import type { EgressResponse } from './egress-client.ts'
import type { FailureCode, RetryAdvice } from './protocol.ts'

export type { EgressRequest, TunnelRequest } from '../egress/contract.ts'
export type { EgressResponse } from './egress-client.ts'

/** What a handler may know of the command it carries out. */
export interface ActionContext {
  /** The effect's identity. Give it to the downstream system wherever that can carry one. */
  readonly idem: string
  readonly kind: 'do' | 'undo' | 'probe'
  /** Milliseconds since the epoch. */
  now(): number
  /** Aborted when the action's own `timeoutMs` is over, or when the run was cancelled. */
  readonly signal?: AbortSignal
  /** Says how far it is, in units of its own, for the person who waits. Costs nothing. */
  progress?(done: number, total?: number): void
  /**
   * Path at which a mount of the manifest is found; `at` as the manifest writes it.
   * @throws Error when the manifest declares no such mount
   */
  folder(at: string): string
  /**
   * A secret of the manifest, by its name there. Not for results, messages or errors.
   * @throws Error when the manifest declares no such secret
   */
  secret(name: string): string
  /**
   * One request to a host that the manifest declares and the action lists, through the gateway.
   * Redirects are not followed: ask again for the new place, and the gateway checks again.
   * @throws ActionFailure UNAVAILABLE: `final` when the gateway refuses (its code is in the message),
   * `absent` when nothing was sent or a GET got no answer; LIMIT_EXCEEDED beyond `maxBytes`
   * @throws EgressOutcomeUnknown when anything but a GET may have reached the server
   */
  fetch(request: EgressRequest): Promise<EgressResponse>
  /**
   * A connection to a host and port that the manifest declares as `tls`. Speak TLS through it; the
   * gateway sees ciphertext. It is cut when the token, the action's time or its bounds end, and that
   * looks like any broken connection.
   * @throws ActionFailure UNAVAILABLE: `final` when the gateway refuses, `absent` when nothing was sent
   */
  connect(request: TunnelRequest): Promise<Duplex>
}

/**
 * An expected failure. `absent` promises that the effect certainly did not happen, and lets the same
 * command run again; a handler that is not sure must not throw this class with `absent`.
 * The message is for the agent's own log and never leaves the sandbox.
 */
export class ActionFailure extends Error {
  override readonly name = 'ActionFailure'
  readonly code: FailureCode
  readonly retry: RetryAdvice
  constructor(code: FailureCode, retry: RetryAdvice, message: string = code, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retry = retry
  }
}

export type Handler<Action extends ActionManifest> = (
  args: z.output<Action['input']>,
  context: ActionContext,
) => Promise<z.output<Action['output']>>

export type Handlers<Actions extends Readonly<Record<string, ActionManifest>>> = {
  readonly [Name in keyof Actions]: Handler<Actions[Name]>
}

/** One action, its types hidden behind the parse that proves them. */
export interface BoundAction {
  readonly declaration: ActionManifest
  /** Arguments that fit the manifest become a call to the handler; others become undefined. */
  prepare(args: unknown): ((context: ActionContext) => Promise<unknown>) | undefined
}

export interface AgentDefinition {
  readonly manifest: AgentManifest
  readonly actions: ReadonlyMap<string, BoundAction>
}

/**
 * @example
 * export const agent = defineAgent(manifest, { append: async (args, context) => ... })
 */
export function defineAgent<const Actions extends Readonly<Record<string, ActionManifest>>>(
  manifest: AgentManifest<Actions>,
  handlers: Handlers<Actions>,
): AgentDefinition {
  const entry = <Name extends keyof Actions & string>(name: Name): [string, BoundAction] => [
    name,
    bindAction<Actions[Name]>(manifest.actions[name], handlers[name]),
  ]
  return { manifest, actions: new Map(Object.keys(manifest.actions).map(entry)) }
}

function bindAction<Action extends ActionManifest>(
  declaration: Action,
  handler: Handler<Action>,
): BoundAction {
  const input: Action['input'] = declaration.input
  return {
    declaration,
    prepare(args) {
      const parsed = input.safeParse(args)
      return parsed.success ? (context) => handler(parsed.data, context) : undefined
    },
  }
}
