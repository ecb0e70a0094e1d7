// A whole deployment in which one agent is hostile: `notes` is replaced by hostile-agent.ts, with the
// real secrets, account and sandbox of `notes`. All else is real but the worker, whose place the test
// takes.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleProgram } from '../../agents/bundle.ts'
import { ensureReplySchema } from '../../agents/protocol.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { startDeployment, stubParty, type TestDeployment } from './deployment.ts'
import { connectParty, type RawParty } from './raw-party.ts'

export interface HostileDeployment {
  readonly deployment: TestDeployment
  readonly state: string
  /** The worker's bare connection. */
  readonly raw: RawParty
  readonly worker: Bus
  /** Makes the hostile agent do something; resolves with what it says. */
  order(name: string, details?: object, timeoutMs?: number): Promise<unknown>
  ensure(agent: string): Promise<string>
  stop(): Promise<void>
}

/** The hostile program, bundled into `<folder>/hostile.mjs`; returns that path. */
export async function bundleHostile(folder: string): Promise<string> {
  const bundle = join(folder, 'hostile.mjs')
  await bundleProgram(join(import.meta.dirname, 'hostile-agent.ts'), bundle)
  return bundle
}

export interface HostileOptions {
  /** The agent that is replaced. */
  readonly agent?: string
  /** Has a worker of its own, beside the connections of the test. */
  readonly isWhole?: boolean
}

export async function startHostileDeployment({
  agent: replaced = 'notes',
  isWhole = false,
}: HostileOptions = {}): Promise<HostileDeployment> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-hostile-'))
  const bundle = await bundleHostile(folder)
  const deployment = await startDeployment({
    home: 'sample',
    ...(isWhole ? {} : { workerEntry: stubParty }),
    bundles: { [replaced]: bundle },
    overrides: { [replaced]: { idleMs: 600_000 }, calendar: { idleMs: 600_000 } },
  })
  const { state } = deployment
  const credentials = join(state, 'worker', 'bus')
  const raw = await connectParty(credentials)
  const worker = await connectBus({ credentials, reconnect: false })
  const head = { receiver: 'supervisor', type: 'TASK_REQUEST', correlationId: '' } as const
  const ensure = async (agent: string) => {
    const options = { reply: ensureReplySchema, timeoutMs: 30_000 }
    const reply = await worker.call('supervisor.ensure', head, { agent, n: 0 }, options)
    if (reply.status !== 'RUNNING') throw new Error(JSON.stringify(reply))
    return reply.bootEpoch
  }
  await Promise.all([ensure(replaced), ensure('calendar')])
  return {
    deployment,
    state,
    raw,
    worker,
    ensure,
    order: (name, details = {}, timeoutMs = 20_000) =>
      raw.ask(`agent.${replaced}.0.exec`, JSON.stringify({ order: name, ...details }), timeoutMs),
    async stop() {
      await raw.close()
      await worker.close()
      await deployment.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
