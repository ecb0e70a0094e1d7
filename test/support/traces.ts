// What a deployment's own disk and kernel say of what happened: rows of the audit, an agent's ledger,
// the bus server's log, the process of a sandbox. The oracles of the attack suites, because a hostile
// agent's own word proves nothing.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { type AuditRow, auditRowSchema } from '../../notary/contract.ts'
import type { TestDeployment } from './deployment.ts'
import { until } from './observer.ts'

function readRows(file: string, sql: string): readonly unknown[] {
  const database = new Database(file, { readonly: true })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** Rows of the deployment's audit, in order. */
export function auditRows(state: string): readonly AuditRow[] {
  const rows = readRows(join(state, 'notary', 'audit.db'), 'SELECT * FROM audit ORDER BY seq')
  return z.array(auditRowSchema).parse(rows)
}

/** Codes of the security events of one actor (`agent:notes.0`). */
export function securityCodes(state: string, actor: string): readonly string[] {
  return auditRows(state)
    .filter((row) => row.kind === 'security' && row.actor === actor)
    .map((row) => z.looseObject({ code: z.string().optional() }).parse(JSON.parse(row.body)))
    .flatMap(({ code }) => code ?? [])
}

/** Ids of the effects in an agent's own ledger, one row each. */
export function ledgerEffects(state: string, replica: string): readonly string[] {
  const file = join(state, 'agents', replica, 'ledger', 'ledger.db')
  const rows = z.array(z.object({ idem: z.string() }))
  return rows.parse(readRows(file, 'SELECT idem FROM effects')).map(({ idem }) => idem)
}

/** How often a text occurs in an agent's data folder. */
export function countInData(state: string, agent: string, text: string): number {
  const folder = join(state, 'agents', agent, 'data')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .reduce((sum, content) => sum + content.split(text).length - 1, 0)
}

const agentSchema = z.object({
  state: z.string(),
  replicas: z.array(z.object({ n: z.number(), state: z.string(), pid: z.number().nullable() })),
})

/** The first replica of an agent, as the supervisor sees it. */
export async function replicaOf(deployment: TestDeployment, agent: string) {
  const { body } = await deployment.control('GET', `/agents/${agent}`)
  const [first] = agentSchema.parse(body).replicas
  if (first === undefined) throw new Error(`no replica of ${agent}`)
  return first
}

/** The host's process id of a running sandbox. */
export async function pidOf(deployment: TestDeployment, agent: string): Promise<number> {
  const { pid } = await replicaOf(deployment, agent)
  if (pid === null) throw new Error(`${agent} does not run`)
  return pid
}

/** Ends a sandbox without a word and waits until the supervisor has seen it. */
export async function killAgent(deployment: TestDeployment, agent: string): Promise<void> {
  process.kill(await pidOf(deployment, agent), 'SIGKILL')
  await until(`${agent} is stopped`, async () => {
    return (await replicaOf(deployment, agent)).state === 'stopped'
  })
}

/** What an attacker of the disk, or a failing one, does. The agent must be stopped. */
export function loseLedger(state: string, replica: string): void {
  rmSync(join(state, 'agents', replica, 'ledger', 'ledger.db'), { force: true })
  for (const end of ['-wal', '-shm']) {
    rmSync(join(state, 'agents', replica, 'ledger', `ledger.db${end}`), { force: true })
  }
}

/** Its volume may be mounted there: what is in it goes, the folder stays. */
export function emptyLedger(state: string, replica: string): void {
  const folder = join(state, 'agents', replica, 'ledger')
  for (const name of readdirSync(folder)) {
    rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/** A new, empty ledger in place of the lost one, as an operator initialises it. */
export function restoreLedger(state: string, replica: string): void {
  const folder = join(state, 'agents', replica)
  emptyLedger(state, replica)
  rmSync(join(folder, 'ledger.created'), { force: true })
}

export function readBusLog(state: string): string {
  return readFileSync(join(state, 'logs', 'nats-server.log'), 'utf8')
}

/** Lines of the bus server's log that speak of refusals, as the server wrote them. */
export function busRefusals(state: string): readonly string[] {
  return readBusLog(state)
    .split('\n')
    .filter((line) => /Violation|maximum|Authorization|exceeded|TLS handshake/i.test(line))
}

export const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
