// The faults of the nemesis: each is done to a running deployment from outside, as a machine or its
// owner would, and undone by itself where it lasts. Counted only when it hit something.

import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { TestDeployment } from '../support/deployment.ts'
import { returnLate } from './zombie.ts'

export const faultKinds = [
  'kill-agent',
  'kill-worker',
  'kill-notary',
  'kill-bus',
  'kill-temporal',
  'pause-agent',
  'pause-worker',
  'pause-notary',
  'zombie-worker',
  'cut-connections',
  'clock-of-notary',
  'clock-of-worker',
  'clock-of-agent',
  'disk-full',
  'reset-run',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultTarget {
  readonly deployment: TestDeployment
  /** 0 <= x < 1 */
  readonly random: () => number
  /** Resets a run that is under way to its beginning; false when there is none. */
  readonly resetRun: () => Promise<boolean>
}

/** Longer than an agent's reply time (15 s), and than the activity's heartbeat time-out (5 s). */
const pauseMs = { agent: 20_000, worker: 8_000, notary: 6_000 }
const clockJumpMs = 3_600_000
const clockHoldMs = 2_000
const diskFullMs = 2_000
const agentLooks = 40
const lookEveryMs = 250

/** Resolves when the fault has been done and, where it lasts, undone; false when nothing was hit. */
export async function inflict(kind: FaultKind, target: FaultTarget): Promise<boolean> {
  const { deployment } = target
  switch (kind) {
    case 'kill-agent':
      return signal(await agentPid(target), 'SIGKILL')
    case 'kill-worker':
      return signal(await pidOf(deployment, 'worker'), 'SIGKILL')
    case 'kill-notary':
      return signal(await pidOf(deployment, 'notary'), 'SIGKILL')
    case 'kill-bus':
      return signal(await pidOf(deployment, 'nats-server'), 'SIGKILL')
    case 'kill-temporal':
      return signal(await pidOf(deployment, 'temporal'), 'SIGKILL')
    case 'pause-agent':
      return pause(await agentPid(target), pauseMs.agent)
    case 'pause-worker':
      return pause(await pidOf(deployment, 'worker'), pauseMs.worker)
    case 'pause-notary':
      return pause(await pidOf(deployment, 'notary'), pauseMs.notary)
    case 'zombie-worker': {
      const pid = await pidOf(deployment, 'worker')
      return pid === undefined ? false : await returnLate(pid, pauseMs.worker)
    }
    case 'cut-connections':
      return cut(deployment.deployment.bus.port)
    case 'clock-of-notary':
      return jump(join(deployment.state, 'notary', 'clock'), target)
    case 'clock-of-worker':
      return jump(join(deployment.state, 'worker', 'clock'), target)
    case 'clock-of-agent':
      return jump(join(deployment.state, 'agents', 'notes.0', 'ledger', 'clock'), target)
    case 'disk-full':
      return fill(join(deployment.state, 'ballast'))
    case 'reset-run':
      return target.resetRun()
  }
}

/** One of those that run, once there is one: agents are started when they are needed. */
async function agentPid({ deployment, random }: FaultTarget): Promise<number | undefined> {
  for (let looks = 0; looks < agentLooks; looks += 1) {
    const running = (await processes(deployment)).flatMap(({ name, pid }) =>
      name.startsWith('agent ') && pid !== null ? [pid] : [],
    )
    if (running.length > 0) return running[Math.floor(random() * running.length)]
    await delay(lookEveryMs)
  }
  return undefined
}

const statusSchema = z.object({
  processes: z.array(z.object({ name: z.string(), pid: z.number().nullable() })),
})

async function processes(deployment: TestDeployment) {
  const { body } = await deployment.control('GET', '/status')
  return statusSchema.parse(body).processes
}

async function pidOf(deployment: TestDeployment, name: string): Promise<number | undefined> {
  const found = (await processes(deployment)).find((process) => process.name === name)
  return found?.pid ?? undefined
}

function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}

async function pause(pid: number | undefined, ms: number): Promise<boolean> {
  if (!signal(pid, 'SIGSTOP')) return false
  await delay(ms)
  // It may have been killed meanwhile.
  signal(pid, 'SIGCONT')
  return true
}

/** Every connection of the bus, at both ends. */
function cut(port: number): boolean {
  const before = connections(port)
  try {
    execFileSync('ss', ['-K', `sport = :${port} or dport = :${port}`], { stdio: 'ignore' })
  } catch {
    // It says so when a connection went away by itself in between.
  }
  return before > 0
}

function connections(port: number): number {
  const out = execFileSync('ss', ['-tnH', 'state', 'established', `dport = :${port}`])
  return out.toString().split('\n').length - 1
}

async function jump(file: string, { random }: FaultTarget): Promise<boolean> {
  // The folder of an agent that was never needed is not there yet.
  if (!existsSync(dirname(file))) return false
  writeFileSync(file, String(random() < 0.5 ? clockJumpMs : -clockJumpMs))
  await delay(clockHoldMs)
  rmSync(file, { force: true })
  return true
}

const blockBytes = 1024 * 1024

async function fill(file: string): Promise<boolean> {
  const block = Buffer.alloc(blockBytes)
  let hit = false
  const descriptor = openSync(file, 'w')
  try {
    for (let size = blockBytes; size >= 512; ) {
      try {
        writeSync(descriptor, block, 0, size)
      } catch {
        hit = true
        size = Math.floor(size / 2)
      }
    }
  } finally {
    closeSync(descriptor)
  }
  await delay(diskFullMs)
  rmSync(file, { force: true })
  return hit
}
