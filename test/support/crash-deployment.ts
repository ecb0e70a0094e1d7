// A real deployment whose notes agent and worker can be stopped at their points and killed from
// outside, and what its files say of an effect: the agent's ledger row, the notary's record, the
// entries of a note.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { bundleProgram } from '../../agents/bundle.ts'
import { type ReconciledVerification, reconcileAudit } from '../../cli/audit-reconciliation.ts'
import { onlineAudit } from '../../cli/audit-source.ts'
import { readAuditKey } from '../../cli/audit-verification.ts'
import { performRun } from '../../cli/commands/run.ts'
import type { RunDocument } from '../../cli/run-view.ts'
import { processStartTime } from '../../supervisor/lock.ts'
import { Connection } from './connection.ts'
import { createGate, type Gate } from './crash-gate.ts'
import { startDeployment, type TestDeployment } from './deployment.ts'
import type { SeenEffect } from './seen-effects.ts'
import { readDatabase, readNotes } from './state-on-disk.ts'

export type Victim = 'agent' | 'worker' | 'notary' | 'bus' | 'temporal'

export interface Process {
  readonly pid: number
  readonly restarts: number
}

export interface EffectFacts extends SeenEffect {
  /** Tokens that the notary has given for it. */
  readonly tokens: number
  /** Boots of the agent that these tokens were for. */
  readonly epochs: number
}

export interface CrashDeployment {
  /** The state folder. */
  readonly state: string
  readonly gates: Readonly<Record<'agent' | 'worker' | 'notary', Gate>>
  /** Registers, starts and follows a plan to its end, as `bulkhead run` does. */
  run(requestId: string, source: string): Promise<RunDocument>
  find(victim: Victim): Promise<Process>
  /** SIGKILL, and waits until the process is gone. */
  kill(pid: number): Promise<void>
  /** Undefined before the notary knows of it. */
  effect(requestId: string, step: string): EffectFacts | undefined
  /** What `bulkhead audit verify` says, whole and reconciled. */
  verifyAudit(): Promise<ReconciledVerification>
  /** All notes, as their files are. */
  notes(): string
  stop(): Promise<void>
}

const names: Readonly<Record<Victim, string>> = {
  agent: 'agent notes.0',
  worker: 'worker',
  notary: 'notary',
  bus: 'nats-server',
  temporal: 'temporal',
}
const statusSchema = z.object({
  processes: z.array(
    z.object({ name: z.string(), pid: z.number().nullable(), restarts: z.number() }),
  ),
})
/** With time for everything to be started anew under it. */
const runMs = 120_000
const mostTries = 20
const tryAgainMs = 500
const support = import.meta.dirname
const silent = { json: true, data() {}, rows() {}, line() {}, talk() {}, problem() {} }

/** @param fastLane whether short steps run inside their run's workflow task */
export async function startCrashDeployment(fastLane: boolean): Promise<CrashDeployment> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-crash-'))
  const deployment = await startOn(folder, fastLane).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true })
    throw error
  })
  const { state, control } = deployment
  const connection = new Connection(state)
  return {
    state,
    gates: {
      agent: createGate(join(state, 'agents', 'notes.0', 'ledger')),
      worker: createGate(join(state, 'worker')),
      notary: createGate(join(state, 'notary')),
    },
    async run(requestId, source) {
      const plan = { kind: 'plan', name: 'crash', source } as const
      for (let tries = 1; ; tries += 1) {
        try {
          const { document } = await connection.use(
            (session) => performRun(session, plan, silent, { requestId, inputs: {} }),
            runMs,
          )
          return document
        } catch (error) {
          // Whoever asked is told nothing when the notary dies over it, and asks again by the same id.
          if (tries === mostTries) throw error
          await delay(tryAgainMs)
        }
      }
    },
    async find(victim) {
      const { processes } = statusSchema.parse((await control('GET', '/status')).body)
      const { pid = null, restarts = 0 } =
        processes.find(({ name }) => name === names[victim]) ?? {}
      if (pid === null) throw new Error(`${names[victim]} is not running`)
      return { pid, restarts }
    },
    kill: killAndWait,
    effect: (requestId, step) => readEffect(state, { requestId, step }),
    verifyAudit: () =>
      connection.use((session) =>
        reconcileAudit(onlineAudit(session), { auditKey: readAuditKey(state), session }),
      ),
    notes: () => readNotes(state),
    async stop() {
      await connection.close()
      rmSync(folder, { recursive: true, force: true })
      await deployment.stop()
    },
  }
}

async function startOn(folder: string, fastLane: boolean): Promise<TestDeployment> {
  const bundle = join(folder, 'notes.mjs')
  await bundleProgram(join(support, 'crash-notes-agent.ts'), bundle)
  return await startDeployment({
    home: 'sample',
    fastLane,
    bundles: { notes: bundle },
    workerEntry: join(support, 'crashing-worker-main.ts'),
    notaryEntry: join(support, 'crashing-notary-main.ts'),
  })
}

async function killAndWait(pid: number): Promise<void> {
  const startTime = processStartTime(pid)
  process.kill(pid, 'SIGKILL')
  while (startTime !== undefined && processStartTime(pid) === startTime) await delay(2)
}

interface EffectPlace {
  readonly requestId: string
  readonly step: string
}

function readEffect(state: string, { requestId, step }: EffectPlace): EffectFacts | undefined {
  const recorded = readDatabase(join(state, 'notary', 'audit.db'), (database) =>
    database
      .prepare<[string, string], Recorded>(
        `SELECT idem, coalesce(outcome, 'open') AS notary, attempts AS tokens,
           (SELECT count(DISTINCT boot_epoch) FROM token WHERE token.idem = effect.idem) AS epochs
         FROM effect WHERE request = ? AND step = ? AND kind = 'do'`,
      )
      .get(requestId, step),
  )
  if (recorded === undefined) return undefined
  const file = join(state, 'agents', 'notes.0', 'ledger', 'ledger.db')
  const ledger = readDatabase(file, (database) =>
    database
      .prepare<[string], string>('SELECT state FROM effects WHERE idem = ?')
      .pluck()
      .get(recorded.idem),
  )
  return { ...recorded, ledger: ledger ?? 'absent' }
}

type Recorded = Omit<EffectFacts, 'ledger'>
