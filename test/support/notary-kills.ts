// Kills a notary under load, again and again, and counts what it had acknowledged and does not have.

import { setTimeout as delay } from 'node:timers/promises'
import { bootReply, headReply } from '../../notary/contract.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import { askNotary, type NotaryProcess, readAudit } from './notary-process.ts'

export interface KillReport {
  readonly kills: number
  readonly acknowledged: number
  /** Acknowledged, and in no row. */
  readonly lost: readonly string[]
  /** Kills after which the file, as it lay there, did not verify. */
  readonly broken: readonly number[]
  readonly rows: number
  /** Whether the whole of it verified at the end, against a head that was asked for over the bus. */
  readonly verified: boolean
}

/** Callers at once; each waits for its answer before it asks again. */
const producers = 8
/** Longest time at work before it is killed. */
const atWorkMs = 100

/** The notary runs when this is called and has ended when it returns. */
export async function killUnderLoad(notary: NotaryProcess, kills: number): Promise<KillReport> {
  const supervisor = await notary.enter('supervisor')
  const { auditKey, receiptKey } = notary
  const acknowledged: string[] = []
  const run: { over: boolean; next: number } = { over: false, next: 0 }
  const produce = async () => {
    while (!run.over) {
      run.next += 1
      const bootEpoch = `epoch-${run.next}`
      const call = { agent: 'calendar', n: 0, bootEpoch, running: true, nkey: 'UTEST', receiptKey }
      const reply = await askNotary(supervisor, 'boot', call, bootReply).catch(() => undefined)
      if (reply?.status === 'RECORDED') acknowledged.push(bootEpoch)
      else await delay(10)
    }
  }
  const running = Array.from({ length: producers }, produce)
  const broken: number[] = []
  for (let kill = 1; kill <= kills; kill += 1) {
    const before = acknowledged.length
    while (acknowledged.length === before) await delay(1)
    await delay(Math.random() * atWorkMs)
    await notary.end('SIGKILL')
    // As it lies there, before any notary mends anything.
    const { rows, checkpoints } = readAudit(notary.folder)
    const found = await verifyTree({ rows, checkpoints, auditKey })
    if (!found.ok || found.rows !== rows.length) broken.push(kill)
    await notary.start()
  }
  run.over = true
  await Promise.all(running)
  const head = await askNotary(await notary.enter('cli'), 'head', {}, headReply)
  if (head.status !== 'HEAD') throw new Error(JSON.stringify(head))
  await notary.end('SIGTERM')
  const { rows, checkpoints } = readAudit(notary.folder)
  const recorded = new Set(rows.map(({ body }) => /"bootEpoch":"(epoch-\d+)"/.exec(body)?.[1]))
  const found = await verifyTree({ rows, checkpoints, auditKey, head: head.checkpoint })
  return {
    kills,
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((bootEpoch) => !recorded.has(bootEpoch)),
    broken,
    rows: rows.length,
    verified: found.ok && found.rows === rows.length,
  }
}
