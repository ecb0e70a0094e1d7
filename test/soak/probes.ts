// Whether each part of the platform answers, asked again and again as somebody would who wants
// something of it. What does not answer within the limit has not answered.

import { setTimeout as delay } from 'node:timers/promises'
import type { Session } from '../../cli/session.ts'
import type { Connection } from '../support/connection.ts'
import type { TestDeployment } from '../support/deployment.ts'

export const probedParts = ['supervisor', 'notary', 'worker', 'temporal', 'workflow'] as const
export type ProbedPart = (typeof probedParts)[number]

export interface Availability {
  readonly asked: number
  readonly answered: number
  /** Answered of asked; null when nothing was asked. */
  readonly fraction: number | null
}

const everyMs = 1_000
const limitMs = 5_000

export interface ProbeTarget {
  readonly deployment: TestDeployment
  readonly connection: Connection
  /** A run that has ended, whose state its workflow still tells. */
  readonly requestId: () => string | undefined
  readonly signal: AbortSignal
}

/** Asks until the signal; resolves with what came of it. */
export async function probe(
  target: ProbeTarget,
): Promise<Readonly<Record<ProbedPart, Availability>>> {
  const counts = new Map(probedParts.map((part) => [part, { asked: 0, answered: 0 }]))
  while (!target.signal.aborted) {
    const asked = probedParts.map(async (part) => {
      const question = ask(part, target)
      const count = counts.get(part)
      if (question === undefined || count === undefined) return
      const answered = await question.then(
        () => true,
        () => false,
      )
      // What was cut off by the end of the soak says nothing about the platform.
      if (target.signal.aborted && !answered) return
      count.asked += 1
      if (answered) count.answered += 1
    })
    await Promise.all([...asked, delay(everyMs)])
  }
  const toAvailability = (part: ProbedPart): Availability => {
    const { asked, answered } = counts.get(part) ?? { asked: 0, answered: 0 }
    return { asked, answered, fraction: asked === 0 ? null : answered / asked }
  }
  return {
    supervisor: toAvailability('supervisor'),
    notary: toAvailability('notary'),
    worker: toAvailability('worker'),
    temporal: toAvailability('temporal'),
    workflow: toAvailability('workflow'),
  }
}

/** Undefined where there is nothing to ask for yet. */
function ask(part: ProbedPart, target: ProbeTarget): Promise<unknown> | undefined {
  const requestId = target.requestId()
  const using = (call: (session: Session) => Promise<unknown>) =>
    target.connection.use(call, limitMs)
  switch (part) {
    case 'supervisor':
      return inTime(target.deployment.control('GET', '/status'))
    case 'notary':
      return using((session) => session.head())
    case 'worker':
      // Answered, if only by saying that there is no such artifact.
      return using((session) => session.getArtifact('probe'))
    case 'temporal':
      if (requestId === undefined) return undefined
      return using((session) => session.runs.describe(requestId))
    case 'workflow':
      if (requestId === undefined) return undefined
      return using((session) => session.runs.state(requestId))
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = delay(limitMs, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`)
  })
  late.catch(() => undefined)
  return await Promise.race([answer, late])
}
