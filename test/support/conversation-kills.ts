// SIGKILL in the middle of a conversation, in a running deployment: at a point of a turn's way one of the
// processes that it needs, also the one that drives it. The turn must come to its end by itself: no turn
// lost or doubled, nothing asked twice, one run with one effect. Not covered: loss of power.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { type CliProcess, type CliResult, startCli } from './cli.ts'
import { Connection } from './connection.ts'
import {
  type CrashDeployment,
  type Process,
  startCrashDeployment,
  type Victim,
} from './crash-deployment.ts'
import { createGate } from './crash-gate.ts'
import { readHistories } from './decoded-histories.ts'

export interface KillCell {
  /** Where the driver stands meanwhile (conversation-driver.ts). */
  readonly point: string
  readonly victim: Exclude<Victim, 'agent'> | 'driver'
}

export const killPoints = [
  ...(['after-say', 'after-answer', 'after-yes'] as const),
  ...(['after-accept', 'after-request', 'after-begin'] as const),
]
export const killVictims = ['driver', 'worker', 'temporal', 'notary', 'bus'] as const

/** A deployment that all cells are performed on, one after the other. */
export async function startConversation() {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-conversation-'))
  let deployment: CrashDeployment
  try {
    deployment = await startCrashDeployment(false)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const gate = createGate(folder)
  const connection = new Connection(deployment.state)
  const drivers: CliProcess[] = []
  const drive = (turnId: string, text: string) => {
    const driver = startCli([deployment.state, folder, turnId, text], driving)
    drivers.push(driver)
    return driver
  }
  const turnIds: string[] = []
  const conversation = {
    deployment,
    /** @throws AssertionError where a turn or a question is lost, or there twice */
    async perform({ point, victim }: KillCell): Promise<void> {
      const turnId = `${point}.${victim}`
      const text = `said ${turnId} once`
      turnIds.push(turnId)
      gate.arm(point)
      const first = drive(turnId, text)
      try {
        await gate.reached(reachedWithinMs)
        if (victim === 'driver') {
          first.child.kill('SIGKILL')
          await first.ended
          expect(await drive(turnId, text).ended).toEqual(wentWell)
        } else {
          const { pid } = await findVictim(deployment, victim)
          await deployment.kill(pid)
          gate.release()
          expect(await first.ended).toEqual(wentWell)
        }
      } finally {
        // The next cell begins with nothing armed and nobody at work.
        gate.open()
        await endAll(drivers.splice(0))
      }
      const { turns } = await connection.use(({ assistant }) => assistant.conversation())
      expect(turns.map((turn) => turn.turnId)).toEqual(turnIds)
      expect(turns.at(-1)).toMatchObject({ status: 'begun', session: 1 })
      const asked = readFileSync(join(folder, 'asked'), 'utf8').split('\n')
      expect(asked.filter((one) => one === turnId)).toHaveLength(1)
      expect(deployment.notes().split(text)).toHaveLength(2)
      expect(deployment.effect(turnId, 'keep')).toMatchObject({ ledger: 'DONE', notary: 'settled' })
    },
    /** What the driver has not forgotten of what a person agreed to. */
    yesses: () => readdirSync(join(deployment.state, 'cli', 'said-yes')),
    /** All that Temporal has kept, decrypted. */
    histories: () =>
      connection.use((session) =>
        readHistories({ state: deployment.state, deployment: session.deployment }),
      ),
    async stop() {
      gate.open()
      await endAll(drivers.splice(0))
      await connection.close()
      try {
        await deployment.stop()
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
  try {
    // The notes agent's first start, and proof that the gates do nothing by themselves.
    turnIds.push('t0')
    expect(await drive('t0', 'before all others').ended).toEqual(wentWell)
  } catch (error) {
    await conversation.stop()
    throw error
  }
  return conversation
}

/** A cold start on a busy machine, after the one before had everything started anew. */
const reachedWithinMs = 120_000
/** A driver ends with its cell; this is for one whose test has died. */
const driving = {
  entry: join(import.meta.dirname, 'conversation-driver.ts'),
  timeoutMs: 15 * 60_000,
}
const wentWell: CliResult = { code: 0, stdout: '', stderr: '' }

async function endAll(drivers: readonly CliProcess[]): Promise<void> {
  for (const { child } of drivers) child.kill('SIGKILL')
  await Promise.all(drivers.map(({ ended }) => ended))
}

/** It may be between two lives, because another was killed before. */
export async function findVictim(deployment: CrashDeployment, victim: Victim): Promise<Process> {
  return await vi.waitFor(() => deployment.find(victim), { timeout: reachedWithinMs })
}
