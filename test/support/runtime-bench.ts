// An agent's runtime for each test of a file, over a home of its own that is removed afterwards.

import { afterEach, beforeAll, beforeEach } from 'vitest'
import type { Ledger } from '../../agents/ledger.ts'
import type { RuntimeDependencies } from '../../agents/runtime.ts'
import {
  type Authority,
  createAuthority,
  startRuntime,
  type TestRuntime,
} from './agent-commands.ts'
import { createHome, type TestHome } from './agent-home.ts'

export interface RuntimeBench {
  readonly authority: Authority
  /** Of the test that runs; not before it does. */
  readonly home: TestHome
  readonly runtime: TestRuntime
  /** Another process over the same home, with these dependencies instead of the bench's. */
  restart(
    overrides?: Partial<RuntimeDependencies>,
    wrap?: (ledger: Ledger) => Ledger,
  ): Promise<void>
}

/** Registers what starts and ends them: called once, at the top of a test file. */
export function useRuntime(defaults: Partial<RuntimeDependencies> = {}): RuntimeBench {
  let authority: Authority
  let home: TestHome
  let runtime: TestRuntime

  beforeAll(async () => {
    authority = await createAuthority()
  })
  beforeEach(async () => {
    home = createHome()
    runtime = await startRuntime(home, authority, defaults)
  })
  afterEach(async () => {
    await runtime.idle(10_000)
    runtime.ledgerHandle.close()
    home.remove()
  })
  return {
    get authority() {
      return authority
    },
    get home() {
      return home
    },
    get runtime() {
      return runtime
    },
    async restart(overrides = defaults, wrap) {
      runtime.ledgerHandle.close()
      runtime = await startRuntime(home, authority, overrides, wrap)
    },
  }
}
