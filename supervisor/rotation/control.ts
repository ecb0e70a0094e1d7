// What may be asked of keys over the control socket: which there are, to rotate some, how that goes.
// Returns the status and the body of an answer; undefined for a call that is not about keys.

import { z } from 'zod'
import { SupervisorError } from '../codes.ts'
import type { Answer } from '../control.ts'
import { defaultOverlapMs, type RotationKind, rotationKinds } from './contract.ts'
import type { Rotations } from './orchestrator.ts'

/** A day: longer is not an overlap any more. */
export const mostOverlapMs = 24 * 3_600_000

const overlapSchema = z.coerce.number().int().min(0).max(mostOverlapMs)

export async function answerKeys(
  call: string,
  query: URLSearchParams,
  rotations: Rotations | undefined,
): Promise<Answer | undefined> {
  if (!/^(GET|POST) \/keys(\/|$)/.test(call)) return undefined
  if (rotations === undefined) return refuse(503, 'STARTING', 'the platform is still starting')
  switch (call) {
    case 'GET /keys':
      return { status: 200, body: await rotations.list() }
    case 'GET /keys/rotation':
      return { status: 200, body: rotations.view() ?? null }
    case 'POST /keys/rotate':
      return begin(query, rotations)
    default:
      return refuse(404, 'USAGE', 'no such call')
  }
}

function begin(query: URLSearchParams, rotations: Rotations): Answer {
  const kinds = toKinds(query.get('kind') ?? '')
  const overlap = overlapSchema.safeParse(query.get('overlapMs') ?? defaultOverlapMs)
  if (kinds === undefined) return refuse(400, 'USAGE', 'no such kind of key')
  if (!overlap.success) {
    return refuse(400, 'USAGE', `an overlap is at most ${mostOverlapMs} ms`)
  }
  try {
    return { status: 202, body: rotations.begin(kinds, overlap.data) }
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error
    return refuse(error.code === 'USAGE' ? 400 : 409, error.code, error.message, error.next)
  }
}

function toKinds(text: string): readonly RotationKind[] | undefined {
  if (text === 'all') return rotationKinds
  const kind = rotationKinds.find((one) => one === text)
  return kind === undefined ? undefined : [kind]
}

function refuse(status: number, code: string, message: string, next?: string): Answer {
  return { status, body: { code, message, ...(next === undefined ? {} : { next }) } }
}
