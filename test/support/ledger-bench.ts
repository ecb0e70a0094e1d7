// A ledger in a folder of its own for each test of a file, and attempts that are asked of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { type Claim, type Ledger, type LedgerOptions, openLedger } from '../../agents/ledger.ts'
import { LedgerError, type LedgerReason, markerFile } from '../../agents/ledger-file.ts'
import { parseSealingKey } from '../../agents/ledger-seal.ts'

export const key = parseSealingKey('A'.repeat(43))

export interface LedgerBench {
  /** With the marker of a new ledger in it. */
  readonly folder: string
  start(options?: Partial<LedgerOptions>): Ledger
  /** What was under way stays as it is: only opening settles it. */
  stop(): void
  restart(): Ledger
}

/** Registers what makes and removes it: called once, at the top of a test file. */
export function useLedger(): LedgerBench {
  let folder: string
  const open: Ledger[] = []
  const stop = () => {
    for (const ledger of open.splice(0)) ledger.close()
  }
  const start = (options: Partial<LedgerOptions> = {}) => {
    const ledger = openLedger({ folder, id: 'mine', key, ...options })
    open.push(ledger)
    return ledger
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-ledger-'))
    writeFileSync(join(folder, markerFile), 'mine\n')
  })
  afterEach(() => {
    stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    get folder() {
      return folder
    },
    start,
    stop,
    restart() {
      stop()
      return start()
    },
  }
}

export function reasonOf(work: () => unknown): LedgerReason | 'none' {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof LedgerError) return error.reason
    throw error
  }
}

let attempts = 0
/** An attempt with a token of its own. */
export function claim(change: Partial<Claim> = {}): Claim {
  attempts += 1
  return {
    jti: `jti-${attempts}`,
    refusedFrom: 32_000,
    idem: 'effect',
    argsHash: 'args',
    action: 'append',
    repeatable: false,
    alive: false,
    now: 1_000,
    ...change,
  }
}

export const done = { status: 'DONE', result: '{"title":"dentist"}', receipt: 'a.b.c' } as const

/** Reserves and begins an effect. */
export function execute(ledger: Ledger, change: Partial<Claim> = {}): void {
  const { idem } = claim(change)
  expect(ledger.reserve(claim(change))).toEqual({ status: 'RESERVED' })
  ledger.markExecuting(idem, 1_000)
}
