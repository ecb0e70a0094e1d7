// Whether a handler of this process is at work on what a command is about. A probe would be told what is
// about to be untrue, and an undo would be undone again by the handler, however long that takes: also
// by one that was given up, of which nobody but this process knows. An undo is known by the effect id
// among its arguments; one that names its step by arguments alone is not waited for.

import type { Command } from './admission.ts'
import type { AgentDefinition } from './define-agent.ts'
import type { Running } from './follow.ts'

/** @param running by effect id */
export function isAtWork(
  { detail, proof }: Pick<Command, 'detail' | 'proof'>,
  { agent, running }: { readonly agent: AgentDefinition; readonly running: Map<string, Running> },
): boolean {
  const isAbout = ([idem, { action }]: readonly [string, Running]): boolean => {
    const { probe, undo = 'none' } = agent.actions.get(action)?.declaration ?? {}
    switch (detail.kind) {
      case 'do':
        return false
      case 'probe':
        return probe?.action === detail.action
      case 'undo': {
        const takesBack = undo !== 'none' && undo.action === detail.action
        return takesBack && Object.values(proof.args).includes(idem)
      }
    }
  }
  return [...running].some(isAbout)
}
