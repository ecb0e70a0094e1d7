// What the command's exit code means to a script (interfaces.md). One list, so that help texts,
// documents and code cannot disagree.

import type { StepOutcome } from '../workflows/contract.ts'

export const exitCodes = {
  completed: 0,
  failed: 1,
  usage: 2,
  denied: 3,
  approval: 4,
  unknown: 5,
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** An end that a person is told about: what happened, and the next command to type. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode
  readonly next: string | undefined
  constructor(message: string, options: { exitCode: ExitCode; next?: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode
    this.next = options.next
  }
}

/** Any unknown outcome outranks the rest: someone has to look before anything else is done. */
export function exitCodeOfRun(
  status: string,
  /** Of the steps and of their undos. */
  outcomes: readonly StepOutcome[],
  /** Why it ended so, where that is known. */
  code?: string,
): (typeof exitCodes)[keyof typeof exitCodes] {
  if (outcomes.includes('unknown')) return exitCodes.unknown
  if (status === 'completed' || status === 'scheduled') return exitCodes.completed
  if (code === 'APPROVAL_EXPIRED') return exitCodes.approval
  if (status === 'denied') return exitCodes.denied
  if (status === 'waiting-approval') return exitCodes.approval
  return exitCodes.failed
}
