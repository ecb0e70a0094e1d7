// An earlier result of the same person, by its name: `<request>/<step>/<iteration>`, as `runs show` prints
// it. What stands behind a name is pinned when a plan is compiled: the agent and the action, the hash that
// the receipt carries, who may read what it was made of, and which agents had a hand in it. The pins are part
// of the plan, so its digest covers them. Only the notary can make one; it makes them again at each admission
// and authorisation and compares (notary/handles.ts). Pure.

import { parsePointer, type Reference } from './pointer.ts'
import type { Readers } from './readers.ts'

export interface HandleAddress {
  readonly request: string
  readonly step: string
  /** Of a loop which one; of any other step 0. */
  readonly iteration: number
}

/** What a plan says of an earlier result that it builds on. */
export interface PinnedHandle {
  readonly agent: string
  readonly action: string
  /** Which rerun of the step it is of. */
  readonly rerun: number
  /** The salted hash in its receipt. */
  readonly hash: string
  /** Who may see all that the step was given; whoever may not must not see what it returned. */
  readonly readers: Readers
  /** Every agent that had a hand in what the step was given, sorted. */
  readonly agents: readonly string[]
}

export type Pins = Readonly<Record<string, PinnedHandle>>

/** Undefined for whatever is no result of this person's: unknown, somebody else's, or not settled. */
export type LookUpHandle = (handle: string) => PinnedHandle | undefined

export const handlePattern =
  /^([a-z0-9][a-z0-9:.-]{0,119})\/([a-z][a-z0-9-]{0,39})\/(0|[1-9]\d{0,3})$/

export function parseHandle(text: string): HandleAddress | undefined {
  const [, request, step, iteration] = handlePattern.exec(text) ?? []
  if (request === undefined || step === undefined) return undefined
  return { request, step, iteration: Number(iteration) }
}

export function toHandle({ request, step, iteration }: HandleAddress): string {
  return `${request}/${step}/${iteration}`
}

/** Whether what a value comes from is an earlier result; the id of a step has no slash. */
export function isHandle(source: string): boolean {
  return source.includes('/')
}

/** As a reference, whose step is then the handle; undefined where it is not written as one. */
export function toHandleReference(handle: string, pointer: string): Reference | undefined {
  const tokens = parsePointer(pointer)
  return handlePattern.test(handle) && tokens !== undefined ? { step: handle, tokens } : undefined
}
