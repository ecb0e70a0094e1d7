// What `agents/<name>/examples.ts` exports as `examples`: calls of each action, and a small world to
// make them in. `bulkhead agent check` runs every call, twice, dry, with its undo and with arguments
// drawn from its schema. Shapes only. Nothing of this reaches a bundle: a running agent knows no example.

import type { EgressRequest, EgressResponse } from '../define-agent.ts'
import type { FailureCode } from '../protocol.ts'

export interface AgentExamples {
  /** An agent with two sources, a folder and a server, has a world for each. */
  readonly worlds: readonly ExampleWorld[]
}

/** Made anew for every call that is tried. */
export interface ExampleWorld {
  /** In messages: `folder`, `server`. */
  readonly name: string
  /** RFC 3339; the clock stands still there. */
  readonly now: string
  /** Mount, as the manifest writes its `at` -> the files there. A mount that is left out is not there. */
  readonly folders?: Readonly<Record<string, ExampleFiles>>
  /** Id of an egress whose host is a setting -> its origins, as bulkhead.yaml would name them. */
  readonly origins?: Readonly<Record<string, readonly string[]>>
  /** Secrets of the manifest, by name. */
  readonly secrets?: Readonly<Record<string, string>>
  /** The servers that it asks; a function, because what they keep is kept for one call only. */
  readonly servers?: () => ExampleServers
  /** Answers in place of the programs of the manifest; the real ones are for the agent's own tests. */
  readonly programs?: (call: ExampleProgramCall) => Promise<ExampleProgramResult>
  /**
   * What of the world an undo gives back, as JSON or texts. Absent: every byte of the folders and all that
   * the servers keep. For agents that keep a record of changes beside the data: leave that record out.
   */
  readonly restored?: (world: SeenWorld) => unknown
  /** Action -> calls. Over all worlds every action has one that ends well. */
  readonly calls: Readonly<Record<string, readonly ExampleCall[]>>
}

/** Path below the mount, with `/` -> content. Written just before the call: their times are the machine's. */
export type ExampleFiles = Readonly<Record<string, string | Uint8Array>>

export interface ExampleCall {
  /** As a plan would write them. A function, where they hold what `before` gave. */
  readonly args: ExampleArguments | ((earlier: readonly EarlierCall[]) => ExampleArguments)
  /** Made before it, in this order. */
  readonly before?: readonly { readonly action: string; readonly args: ExampleArguments }[]
  /** The code that it is meant to fail with. Absent: it ends well. */
  readonly fails?: FailureCode
}

export type ExampleArguments = Readonly<Record<string, unknown>>

export interface EarlierCall {
  readonly idem: string
  readonly result: unknown
}

/** In place of servers: asked only what the gateway would let through. */
export interface ExampleServers {
  /** Undefined: status 404 with an empty body. */
  answer(request: ExampleRequest): ExampleReply | undefined
  /** All that requests may change, as JSON; absent: nothing. */
  state?(): unknown
}

export interface ExampleRequest extends EgressRequest {
  /** The origin that it would go to. */
  readonly origin: string
}

export interface ExampleReply extends Pick<EgressResponse, 'status' | 'body'> {
  readonly headers?: Readonly<Record<string, string>>
}

export interface ExampleProgramCall {
  readonly program: string
  readonly args: readonly string[]
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly maxBytes: number
}

export interface ExampleProgramResult {
  readonly code: number
  readonly stdout: Uint8Array
  readonly stderr: string
}

export interface SeenWorld {
  /** `<mount>/<path>` -> bytes, in the order of the names. */
  readonly files: ReadonlyMap<string, Buffer>
  /** What `state` of the servers says. */
  readonly servers: unknown
}
