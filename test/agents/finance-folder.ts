// A finance folder of a test's own, and calls of the agent in it: arguments and results pass through the
// manifest as in the runtime. hledger, where a test has the real one, runs with nothing but what the
// handler gives it.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import type { ActionContext } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { agent } from '../../agents/finance/agent.ts'
import { manifest } from '../../agents/finance/manifest.ts'
import type { Installed } from '../support/installed.ts'
import { runnerOf } from '../support/installed-runner.ts'
import { contextOf, idemOf } from './action-context.ts'

export const now = Date.parse('2026-11-21T08:20:00Z')
export const account = 'assets:bank:giro'

type Actions = typeof manifest.actions
export type Result<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

export interface FinanceFolder {
  readonly folder: string
  put(name: string, content: string | Uint8Array): void
  /** Undefined when it is not there. */
  read(name: string): string | undefined
  run<Name extends keyof Actions>(
    action: Name,
    args: object,
    options?: CallOptions,
  ): Promise<Result<Name>>
  remove(): void
}

export interface CallOptions {
  readonly idem?: string
  readonly fetch?: ActionContext['fetch']
  readonly run?: ActionContext['run']
}

export function createFolder(given: Partial<CallOptions> = {}): FinanceFolder {
  const folder = mkdtempSync(join(tmpdir(), 'finance-'))
  return {
    folder,
    put(name, content) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    },
    read(name) {
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      return names.includes(name) ? readFileSync(join(folder, name), 'utf8') : undefined
    },
    async run(action, args, options = {}) {
      const call = agent.actions.get(action)?.prepare(args)
      if (call === undefined)
        throw new ActionFailure('INVALID_INPUT', 'final', 'the manifest refuses')
      const base = contextOf({ folder, now }, idemOf(options.idem ?? 'one'))
      const result = await call({ ...base, ...given, ...options, idem: base.idem })
      return manifest.actions[action].output.parse(result) as Result<typeof action>
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A handler's `run` of the real program. */
export function runOf(hledger: Installed): ActionContext['run'] {
  const runner = runnerOf({ hledger })
  return (request) => runner(request, new AbortController().signal)
}
