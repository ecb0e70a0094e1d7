// What a handler gets in these tests: a temporary folder in place of the mount, and a clock that
// stands still. `perform` parses arguments with the manifest, as the runtime does.

import { createHash } from 'node:crypto'
import type { ActionContext, AgentDefinition } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'

export interface Setting {
  readonly folder: string
  readonly now: number
}

/** An effect id as the notary would make one. */
export function idemOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export function contextOf(setting: Setting, idem: string = idemOf('one')): ActionContext {
  return {
    idem,
    kind: 'do',
    now: () => setting.now,
    folder: () => setting.folder,
    secret: () => {
      throw new Error('no agent of ours has a secret yet')
    },
    fetch: async () => {
      throw new ActionFailure('UNAVAILABLE', 'final', 'this test has no network')
    },
    stream: async () => {
      throw new ActionFailure('UNAVAILABLE', 'final', 'this test has no network')
    },
    connect: () => Promise.reject(new Error('no network')),
    run: () => Promise.reject(new Error('no program')),
  }
}

/** Runs one action as the runtime would, output schema included. */
export async function perform(
  agent: AgentDefinition,
  call: { action: string; args: unknown; setting: Setting; idem?: string },
): Promise<unknown> {
  const action = agent.actions.get(call.action)
  const run = action?.prepare(call.args)
  if (action === undefined || run === undefined)
    throw new Error(`${call.action} refuses its arguments`)
  return action.declaration.output.parse(await run(contextOf(call.setting, call.idem)))
}

/** The failure that a call ends in; throws when it succeeds or fails otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<ActionFailure> {
  try {
    await call
  } catch (error) {
    if (error instanceof ActionFailure) return error
    throw error
  }
  throw new Error('the call succeeded')
}
