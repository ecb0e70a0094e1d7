// A hostile agent's floods: as much of everything as its sandbox lets it have. Each returns what it got
// before something ended it; some end the agent itself, and return nothing.

import { pbkdf2 } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { speak } from './hostile-session.ts'

type Order = Readonly<Record<string, unknown>>
const mebibyte = 1024 * 1024

const codeOf = (error: unknown): string =>
  error instanceof Error ? String('code' in error ? error.code : error.message) : 'UNKNOWN'

/** Events and messages to everywhere, larger than the bus takes, on a connection of their own. */
async function ofMessages({ count, bytes, subject }: Order): Promise<unknown> {
  const payload = 'x'.repeat(Number(bytes))
  const line = `PUB ${String(subject)} ${payload.length}\r\n${payload}`
  const lines = Array.from({ length: Number(count) }, () => line)
  const { ended } = await speak({ lines, waitMs: 2_000 })
  return { sent: lines.length, ended }
}

/** More than any process may have descriptors. */
const manyConnections = 2_000

/** All at once, so that the bus cannot close the first ones while the last ones are opened. */
async function ofConnections(): Promise<unknown> {
  const open: Socket[] = []
  const outcomes = Array.from({ length: manyConnections }, () => {
    const socket = connect('/run/bus.sock')
    open.push(socket)
    return new Promise<string>((resolve) => {
      socket.once('error', (error) => resolve(codeOf(error)))
      socket.once('connect', () => resolve('open'))
    })
  })
  const codes = await Promise.all(outcomes)
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  for (const socket of open) socket.destroy()
  return { opened: codes.filter((code) => code === 'open').length, failed: [...new Set(codes)] }
}

/** Whole files, or empty ones. */
function ofFiles({ folder, bytes, count }: Order): unknown {
  const content = Buffer.alloc(Number(bytes), 1)
  mkdirSync(`${String(folder)}/flood`, { recursive: true })
  let written = 0
  try {
    for (; written < Number(count); written += 1) {
      writeFileSync(`${String(folder)}/flood/${written}`, content)
    }
    return { written, failed: 'none' }
  } catch (error) {
    return { written, failed: codeOf(error) }
  }
}

function ofMemory(): never {
  const hoard: Buffer[] = []
  for (;;) hoard.push(Buffer.alloc(8 * mebibyte, 1))
}

/** More work at once than there are threads for it, each of them without a rest. */
async function ofProcessor(): Promise<unknown> {
  const derive = promisify(pbkdf2)
  const jobs = Array.from({ length: 16 }, () => derive('x', 'y', 1_000_000, 64, 'sha512'))
  return { jobs: (await Promise.all(jobs)).length }
}

const spin = 'for (;;) Math.random()'

/** Threads that never rest; they stay until the agent ends. */
async function ofThreads({ count }: Order): Promise<unknown> {
  let started = 0
  let failed = 'none'
  for (let n = 0; n < Number(count) && failed === 'none'; n += 1) {
    const worker = new Worker(spin, { eval: true })
    failed = await new Promise((resolve) => {
      worker.once('online', () => resolve('none'))
      worker.once('error', (error) => resolve(codeOf(error)))
    })
    if (failed === 'none') started += 1
  }
  return { started, failed }
}

export async function flood(order: Order): Promise<unknown> {
  switch (order['of']) {
    case 'messages':
      return ofMessages(order)
    case 'connections':
      return ofConnections()
    case 'files':
      return ofFiles(order)
    case 'memory':
      return ofMemory()
    case 'processor':
      return ofProcessor()
    case 'threads':
      return ofThreads(order)
    default:
      return 'unknown flood'
  }
}
