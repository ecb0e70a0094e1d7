// A notary in a process of its own on a real bus, to be ended, killed and started again by a test.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import type { z } from 'zod'
import type { AuditRow, Checkpoint } from '../../notary/contract.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { generateKeyPairJwk, type PublicJwk } from '../../security/verify/keys.ts'
import { startBus } from './bus.ts'

export const notaryEntry = fileURLToPath(new URL('../../notary/main.ts', import.meta.url))

export interface NotaryProcess {
  readonly folder: string
  readonly auditKey: PublicJwk
  /** Any key will do where a boot is only recorded. */
  readonly receiptKey: PublicJwk
  /** The first line it says on its ready pipe. */
  start(): Promise<unknown>
  /** Its exit code; null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Tells it to read its keys again. */
  hangUp(): void
  /** Closes the pipe that tells it that its parent lives; resolves with exit code and signal. */
  orphan(): Promise<unknown>
  enter(account: string): Promise<Bus>
  /** Closes what `enter` opened. */
  leave(): Promise<void>
  stop(): Promise<void>
}

export async function createNotaryProcess(
  replicas: readonly { readonly agent: string; readonly n: number }[],
): Promise<NotaryProcess> {
  const server = await startBus({ replicas })
  const folder = join(server.state, 'notary')
  await mkdir(folder, { recursive: true })
  const [signing, audit] = [await generateKeyPairJwk(), await generateKeyPairJwk()]
  await writeFile(join(folder, 'signing.jwk.json'), JSON.stringify(signing.privateJwk))
  await writeFile(join(folder, 'audit.jwk.json'), JSON.stringify(audit.privateJwk))
  const bus = server.credentials('notary')
  const config = { deployment: 'testtest', issuer: 'notary:testtest', folder, bus }
  const users = [
    { id: 'owner', accounts: ['cli', 'console'], approvers: [], approvesFor: [], sees: [] },
  ]
  await writeFile(join(folder, 'users.json'), JSON.stringify(users))
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  const clients: Bus[] = []
  let child: ChildProcess | undefined
  const leave = async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child === undefined) return null
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = await exited
    return code
  }
  return {
    folder,
    auditKey: audit.publicJwk,
    receiptKey: signing.publicJwk,
    async start() {
      // Its standard input is our pipe, so it leaves with us, however we end.
      child = spawn(process.execPath, [notaryEntry, '--config', join(folder, 'config.json')], {
        stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
        env: {},
      })
      const [line] = await once(child.stdio[3] as Readable, 'data')
      return JSON.parse(String(line))
    },
    end,
    hangUp: () => {
      child?.kill('SIGHUP')
    },
    async orphan() {
      if (child === undefined) throw new Error('not started')
      const exited = once(child, 'exit')
      child.stdin?.end()
      return exited
    },
    async enter(account) {
      const client = await connectBus({ credentials: server.credentials(account), reconnect: true })
      clients.push(client)
      return client
    },
    leave,
    async stop() {
      await leave()
      await end('SIGKILL')
      await server.stop()
    },
  }
}

/** Short, because a caller of a notary that was killed waits for all of it. */
const timeoutMs = 500

export function askNotary<T>(
  client: Bus,
  call: string,
  payload: unknown,
  reply: z.ZodType<T>,
): Promise<T> {
  const head = { receiver: 'notary', type: 'TASK_REQUEST', correlationId: 'c-1' } as const
  return client.call(`notary.${call}`, head, payload, { reply, timeoutMs })
}

export interface AuditSnapshot {
  readonly rows: readonly AuditRow[]
  readonly checkpoints: readonly Checkpoint[]
}

/** As an offline verifier reads it. */
export function readAudit(folder: string): AuditSnapshot {
  const db = new Database(join(folder, 'audit.db'), { readonly: true })
  const rows = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
  const checkpoints = db
    .prepare<[], Checkpoint>(
      'SELECT * FROM checkpoint UNION SELECT size, root, at, jws FROM tip ORDER BY size',
    )
    .all()
  db.close()
  return { rows, checkpoints }
}
