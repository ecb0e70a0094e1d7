// The whole deployment that nemesis and soak look after: two shipped agents and the test agent, on
// clocks that a file moves.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bundleProgram } from '../../agents/bundle.ts'
import { reconcileAudit } from '../../cli/audit-reconciliation.ts'
import { onlineAudit } from '../../cli/audit-source.ts'
import { readAuditKey } from '../../cli/audit-verification.ts'
import { generateHome } from '../../examples/home/generate.ts'
import type { Connection } from '../support/connection.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { nemesisAgents } from './catalogue.ts'

/**
 * @param state an empty folder, or none yet; stays when the deployment is stopped
 * @param options `wrapper`: put before the supervisor's command. `fastLane`: whether short steps run
 *   inside their run's workflow task
 */
export async function startNemesisDeployment(
  state: string,
  options: { readonly wrapper?: readonly string[]; readonly fastLane?: boolean } = {},
): Promise<TestDeployment> {
  mkdirSync(join(state, 'counts'), { recursive: true, mode: 0o700 })
  const notes = join(state, 'notes-agent.mjs')
  await bundleProgram(join(import.meta.dirname, 'notes-agent.ts'), notes)
  const today = new Date().toISOString().slice(0, 10)
  const home = { folder: state, today, timeZone: 'UTC', seed: 1, web: 'http://127.0.0.1:9' }
  await generateHome(home)
  const folders = { calendar: 'agents/calendar/data', notes: 'agents/notes/data', test: 'counts' }
  const settings = Object.entries(folders).map(
    ([name, folder]) => `  ${name}: { folder: ${folder} }`,
  )
  const { wrapper = [], fastLane = true } = options
  const lines = ['timezone: UTC', `fastLane: ${fastLane}`, 'agents:', ...settings, '']
  writeFileSync(join(state, 'bulkhead.yaml'), lines.join('\n'))
  return startDeployment({
    state,
    agents: nemesisAgents,
    wrapper,
    bundles: { notes },
    notaryEntry: join(import.meta.dirname, 'notary-main.ts'),
    workerEntry: join(import.meta.dirname, 'worker-main.ts'),
  })
}

export interface AuditVerdict {
  readonly ok: boolean
  readonly rows: number
  readonly gaps: number
}

/** A thousand runs' histories are read for it. */
const verifyMs = 10 * 60_000

/** Waits until the platform stands again, and verifies its audit against ledgers and history. */
export async function verifyWhenQuiet(
  connection: Pick<Connection, 'use'>,
  state: string,
  say: (line: string) => void,
): Promise<AuditVerdict> {
  for (;;) {
    try {
      return await connection.use(async (session) => {
        const audit = onlineAudit(session)
        const found = await reconcileAudit(audit, { auditKey: readAuditKey(state), session })
        for (const { run, step, what, where } of found.gaps)
          say(`${what}: ${run} ${step} (${where})`)
        return { ok: found.ok, rows: found.rows, gaps: found.gaps.length }
      }, verifyMs)
    } catch (error) {
      say(`not yet: ${String(error)}`)
      await delay(1_000)
    }
  }
}
