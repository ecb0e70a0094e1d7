// How an action that must not run twice finds out whether it ran: its manifest names a read of the
// same agent, called with the effect's id or arguments, whose answer has one shape. Asked before a
// person is, and only once the effect itself can happen no more.

import { z } from 'zod'
import type { UndoArgument } from './effect.ts'

export interface ProbeDeclaration {
  /** A read of the same agent, whose output is `probeOutput`. */
  readonly action: string
  /** Nothing of the result: where a probe is asked there is none. */
  readonly args: Readonly<Record<string, Exclude<UndoArgument, { readonly $result: string }>>>
}

/** What a probe answers. `unsure` leaves the question to a person. */
export const probeOutput = z.strictObject({ happened: z.enum(['yes', 'no', 'unsure']) })
export type ProbeAnswer = z.infer<typeof probeOutput>['happened']

/** The codes under which an effect is recorded that a probe or a person vouched for. */
export const answerCodes = { yes: 'HAPPENED', no: 'DID_NOT_HAPPEN' } as const

/** The answer in a probe's result; undefined when the text is no such answer. */
export function readProbeAnswer(text: string): ProbeAnswer | undefined {
  try {
    return probeOutput.safeParse(JSON.parse(text)).data?.happened
  } catch {
    return undefined
  }
}
