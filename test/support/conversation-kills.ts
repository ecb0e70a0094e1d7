// SIGKILL in the middle of a conversation, in a running deployment: at a point of a turn's way one of the
// processes that it needs, also the one that drives it. The turn must come to its end by itself: no turn
// lost or doubled, nothing asked twice, one run with one effect. Not covered: loss of power.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
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
  const gate = createGate(folder)
  const deployment = await startCrashDeployment(false)
  const connection = new Connection(deployment.state)
  const drive = (turnId: string, text: string) =>
    startDriver([deployment.state, folder, turnId, text])
  // The notes agent's first start, and proof that the gates do nothing by themselves.
  expect(await drive('t0', 'before all others').ended).toEqual([0, ''])
  const turnIds = ['t0']
  return {
    deployment,
    /** @throws AssertionError where a turn or a question is lost, or there twice */
    async perform({ point, victim }: KillCell): Promise<void> {
      const turnId = `${point}.${victim}`
      const text = `said ${turnId} once`
      turnIds.push(turnId)
      gate.arm(point)
      const first = drive(turnId, text)
      await gate.reached(reachedWithinMs)
      if (victim === 'driver') {
        first.child.kill('SIGKILL')
        await first.ended
        expect(await drive(turnId, text).ended).toEqual([0, ''])
      } else {
        const { pid } = await findVictim(deployment, victim)
        await deployment.kill(pid)
        gate.release()
        expect(await first.ended).toEqual([0, ''])
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
      await connection.close()
      await deployment.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A cold start on a busy machine, after the one before had everything started anew. */
const reachedWithinMs = 120_000

interface Driver {
  readonly child: ChildProcess
  /** Exit code, and what it said. */
  readonly ended: Promise<readonly [number | null, string]>
}

function startDriver(args: readonly string[]): Driver {
  const program = join(import.meta.dirname, 'conversation-driver.ts')
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const ended = new Promise<readonly [number | null, string]>((resolve) => {
    child.once('close', (code) => resolve([code, said]))
  })
  return { child, ended }
}

/** It may be between two lives, because another was killed before. */
export async function findVictim(deployment: CrashDeployment, victim: Victim): Promise<Process> {
  return await vi.waitFor(() => deployment.find(victim), { timeout: reachedWithinMs })
}
