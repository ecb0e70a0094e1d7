// What comes back from a provider's library, read as from a stranger: an error is what the table of
// failures says of it, and a reply has the published shape or is none. A reply that comes in events is put
// together first and then judged as one that came whole. Invariant: nothing is an answer before the
// gateway has said that all of it came.

import type { z } from 'zod'
import { failureInside, failureOfStatus, notOfTheProvider } from '../failures.ts'
import { isEvents, type Transport } from '../gateway-fetch.ts'
import type { OnCharacters } from './port.ts'

/** What a library's error holds that is a provider's word. */
export interface ToldError {
  /** Undefined of an error that came inside of a reply with a good status. */
  readonly status: number | undefined
  /** The provider's own word for it: a text, or of Gemini the status again. */
  readonly type: string | number
  readonly headers: Headers | undefined
}

export interface Asking {
  readonly transport: Transport
  /** Reads an error of the library's; undefined where it is no provider's word. */
  readonly errorOf: (error: unknown) => ToldError | undefined
}

interface Gathering extends Asking {
  /** The library's reader of events. */
  readonly eventsOf: (response: Response) => AsyncIterable<unknown>
  /** Puts the events of one reply together as the reply that it would have been. */
  readonly gather: (events: AsyncIterable<unknown>) => Promise<unknown>
}

/** A reply that comes whole. @throws ActionFailure, EgressOutcomeUnknown */
export function answered(asking: Asking, ask: () => Promise<unknown>): Promise<unknown> {
  return judged(asking, ask, () => false)
}

/**
 * A reply that was asked for in events; a server that knows of none sends it whole.
 * @throws ActionFailure, EgressOutcomeUnknown
 */
export function gathered(
  { eventsOf, gather, ...asking }: Gathering,
  ask: () => Promise<Response>,
): Promise<unknown> {
  let begun = false
  const noting = async function* (response: Response) {
    for await (const event of eventsOf(response)) {
      begun = true
      yield event
    }
  }
  return judged(
    asking,
    async () => {
      const response = await ask()
      return isEvents(response.headers) ? gather(noting(response)) : response.json()
    },
    () => begun,
  )
}

async function judged(
  { transport, errorOf }: Asking,
  ask: () => Promise<unknown>,
  begun: () => boolean,
): Promise<unknown> {
  try {
    const reply = await ask()
    await transport.rest()
    const failure = transport.failure()
    if (failure !== undefined) throw failure
    return reply
  } catch (error) {
    transport.close()
    const failure = transport.failure()
    if (failure !== undefined) throw failure
    const told = errorOf(error)
    if (told !== undefined) throw failureOf(told, begun())
    // Of a reply that says it is JSON and is none.
    if (error instanceof SyntaxError) throw notOfTheProvider()
    throw error
  }
}

function failureOf({ status, type: word, headers }: ToldError, begun: boolean): Error {
  const type = String(word)
  if (status !== undefined) return failureOfStatus(status, { type, headers })
  const known = typeof word === 'number' && word >= 400 && word < 600 ? { status: word } : {}
  return failureInside({ ...known, type, headers }, begun)
}

/** @throws ActionFailure CORRUPT_DATA */
export function parseReply<Shape extends z.ZodType>(shape: Shape, reply: unknown): z.output<Shape> {
  const parsed = shape.safeParse(reply)
  if (!parsed.success) throw notOfTheProvider()
  return parsed.data
}

/** A text that comes in pieces; of each it is told how many characters have come. */
export function createText(onCharacters: OnCharacters) {
  const pieces: string[] = []
  let characters = 0
  return {
    add(piece: string | null | undefined) {
      if (piece === undefined || piece === null || piece === '') return
      pieces.push(piece)
      characters += [...piece].length
      onCharacters(characters)
    },
    whole: () => pieces.join(''),
  }
}
