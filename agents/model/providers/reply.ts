// What comes back from a provider's library, read as from a stranger: an error is what the table of
// failures says of it, and a reply has the published shape or is none.

import type { z } from 'zod'
import { failureOfStatus, notOfTheProvider } from '../failures.ts'
import type { Transport } from '../gateway-fetch.ts'

/** What a library's error for a status holds. */
export interface StatusError {
  readonly status: number
  /** The provider's own word for it. */
  readonly type: string
  readonly headers: Headers | undefined
}

export interface Asking {
  readonly transport: Transport
  /** Reads an error of the library's; undefined where it is of no status. */
  readonly statusOf: (error: unknown) => StatusError | undefined
}

/** @throws ActionFailure, EgressOutcomeUnknown */
export async function answered(
  { transport, statusOf }: Asking,
  ask: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await ask()
  } catch (error) {
    const failure = transport.failure()
    if (failure !== undefined) throw failure
    const told = statusOf(error)
    if (told !== undefined) throw failureOfStatus(told.status, told)
    // Of a reply that says it is JSON and is none.
    if (error instanceof SyntaxError) throw notOfTheProvider()
    throw error
  }
}

/** @throws ActionFailure CORRUPT_DATA */
export function parseReply<Shape extends z.ZodType>(shape: Shape, reply: unknown): z.output<Shape> {
  const parsed = shape.safeParse(reply)
  if (!parsed.success) throw notOfTheProvider()
  return parsed.data
}
