// Joins a manifest with its handlers into the one thing the runtime runs. Invariant: an action that
// the manifest declares has a handler (a missing one does not compile), and the runtime finds both
// in a Map, so that no name from outside ever indexes an object. No I/O here, and no bus: an agent's
// handlers must be testable with nothing but this file.

import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import type { EgressRequest, TunnelRequest } from '../egress/contract.ts'
import { type ActionManifest, type AgentManifest, ManifestError } from '../plan/manifest.ts'
import type { EgressResponse } from './egress-client.ts'
import type { EgressStream } from './egress-stream.ts'
import type { ProgramRequest, ProgramResult } from './program-request.ts'
import type { FailureCode, ProgressUnit, RetryAdvice } from './protocol.ts'
import type { ProgramPlace, ProgramRunner } from './run-program.ts'

export type { EgressRequest, TunnelRequest } from '../egress/contract.ts'
export type { EgressResponse } from './egress-client.ts'
export type { EgressStream } from './egress-stream.ts'
export type { ProgramRequest, ProgramResult } from './program-request.ts'

/** What a handler may know of the command it carries out. */
export interface ActionContext {
  /** The effect's identity. Give it to the downstream system wherever that can carry one. */
  readonly idem: string
  readonly kind: 'do' | 'undo' | 'probe'
  /** Milliseconds since the epoch. */
  now(): number
  /** Aborted when the action's own `timeoutMs` is over, or when the run was cancelled. */
  readonly signal?: AbortSignal
  /** Says how far it is, in units of its own where it names none, for the person who waits. Costs nothing. */
  progress?(done: number, total?: number, unit?: ProgressUnit): void
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
   * `absent` when nothing was sent or a read (GET, PROPFIND, REPORT) got no answer; LIMIT_EXCEEDED beyond `maxBytes`
   * @throws EgressOutcomeUnknown when anything but a read may have reached the server
   */
  fetch(request: EgressRequest): Promise<EgressResponse>
  /**
   * The same request, its response as it comes. What was read is worth nothing before the parts have
   * ended: an error in the middle is the request's, as `fetch` would have thrown it.
   */
  stream(request: EgressRequest): Promise<EgressStream>
  /**
   * A connection to a host and port that the manifest declares as `tls`. Speak TLS through it; the
   * gateway sees ciphertext. It is cut when the token, the action's time or its bounds end, and that
   * looks like any broken connection.
   * @throws ActionFailure UNAVAILABLE: `final` when the gateway refuses, `absent` when nothing was sent
   */
  connect(request: TunnelRequest): Promise<Duplex>
  /**
   * Runs a program that the manifest declares and `bulkhead.yaml` names, to its end; without a shell,
   * with nothing in its environment but `env`. Killed with the action. A secret goes into `input`,
   * never into `args`.
   * @throws ActionFailure UNAVAILABLE `final` when the manifest or the configuration has no such
   * program, LIMIT_EXCEEDED beyond `maxBytes` of output, CANCELLED when it was killed with the action
   */
  run(request: ProgramRequest): Promise<ProgramResult>
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
  /** Of `absent`: when the server that was asked would have it asked again. Milliseconds. */
  readonly retryAfterMs: number | undefined
  constructor(
    code: FailureCode,
    retry: RetryAdvice,
    message: string = code,
    cause?: unknown,
    options: { readonly retryAfterMs?: number } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retry = retry
    this.retryAfterMs = options.retryAfterMs
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
  /** Starts the programs that the manifest declares; absent: it declares none, and nothing in its bundle can. */
  readonly programs?: (places: readonly ProgramPlace[]) => ProgramRunner
}

/**
 * @param programs `createProgramRunner` of run-program.ts, where the manifest declares programs
 * @throws ManifestError where one of the two is there without the other
 * @example
 * export const agent = defineAgent(manifest, { append: async (args, context) => ... })
 */
export function defineAgent<const Actions extends Readonly<Record<string, ActionManifest>>>(
  manifest: AgentManifest<Actions>,
  handlers: Handlers<Actions>,
  programs?: AgentDefinition['programs'],
): AgentDefinition {
  if ((manifest.programs ?? []).length > 0 !== (programs !== undefined)) {
    throw new ManifestError(`${manifest.name}: programs need a runner, and a runner programs`)
  }
  const entry = <Name extends keyof Actions & string>(name: Name): [string, BoundAction] => [
    name,
    bindAction<Actions[Name]>(manifest.actions[name], handlers[name]),
  ]
  const actions = new Map(Object.keys(manifest.actions).map(entry))
  return { manifest, actions, ...(programs === undefined ? {} : { programs }) }
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
