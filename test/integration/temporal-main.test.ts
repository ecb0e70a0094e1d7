// The worker's process: says when it is ready, serves its artifacts to entry points over the real
// bus, and leaves when it is told to or when its parent is gone.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Bus, connectBus } from '../../security/bus.ts'
import { artifactGetReply, artifactPutReply } from '../../temporal/artifact-calls.ts'
import { bundleWorkflows } from '../../temporal/bundle.ts'
import { taskQueue } from '../../workflows/contract.ts'
import { startBus, type TestBus } from '../support/bus.ts'
import { startTemporal, type TestTemporal } from '../support/temporal-server.ts'

const main = join(import.meta.dirname, '..', '..', 'temporal', 'main.ts')

let bus: TestBus
let temporal: TestTemporal
let folder: string
let config: string
beforeAll(async () => {
  ;[bus, temporal] = await Promise.all([
    startBus({ replicas: [{ agent: 'notes', n: 0 }] }),
    startTemporal(),
  ])
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-worker-'))
  const workflowBundle = join(folder, 'workflows.js')
  await writeFile(workflowBundle, await bundleWorkflows(new DefaultLogger('ERROR')))
  await mkdir(join(folder, 'worker'))
  for (const name of ['payload.key', 'artifact.key', 'sealing.key']) {
    await writeFile(join(folder, 'worker', name), Buffer.alloc(32, 4).toString('base64url'))
  }
  config = join(folder, 'config.json')
  await writeFile(
    config,
    JSON.stringify({
      deployment: 'testtest',
      folder: join(folder, 'worker'),
      bus: bus.credentials('worker'),
      temporal: { address: temporal.address, namespace: temporal.namespace },
      taskQueue,
      build: 'test',
      workflowBundle,
      fastLane: false,
    }),
  )
})
afterAll(async () => {
  await temporal.stop()
  await bus.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Started {
  readonly child: ChildProcess
  readonly ready: unknown
  exit(): Promise<number | null>
}

async function start(args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdio[3] as Readable })
  const [line] = await once(lines, 'line')
  return {
    child,
    ready: JSON.parse(String(line)),
    exit: async () => {
      const [code] = await exited
      return typeof code === 'number' ? code : null
    },
  }
}

describe('the worker process', () => {
  it('serves artifacts to the owner once it is ready, and leaves on SIGTERM', async () => {
    const worker = await start(['--config', config])
    expect(worker.ready).toEqual({ ready: true })
    const cli = await connectBus({ credentials: bus.credentials('cli'), reconnect: false })
    const content = '{"kind":"plan"}'
    const put = await call(cli, 'put', { kind: 'request', requestId: 'req-1', content })
    expect(put).toMatchObject({ status: 'STORED' })
    const ref = 'ref' in put ? put.ref : ''
    expect(await call(cli, 'get', { ref })).toMatchObject({ status: 'FOUND', content })
    expect(await call(cli, 'put', { kind: 'plan', requestId: 'req-1', content })).toMatchObject({
      code: 'MALFORMED',
    })
    await cli.close()
    worker.child.kill('SIGTERM')
    expect(await worker.exit()).toBe(0)
  })

  it('leaves when its standard input ends, because its parent is then gone', async () => {
    const worker = await start(['--config', config])
    worker.child.stdin?.end()
    expect(await worker.exit()).toBe(0)
  })

  it('says why it cannot start', async () => {
    const broken = await start(['--config', join(folder, 'missing.json')])
    expect(broken.ready).toMatchObject({ ready: false, code: 'CONFIG' })
    expect(await broken.exit()).toBe(1)
  })
})

async function call(cli: Bus, name: 'get' | 'put', payload: unknown) {
  const head = { receiver: 'worker', type: 'RETRIEVAL_REQUEST', correlationId: 'req-1' } as const
  const reply = z.union([artifactGetReply, artifactPutReply])
  return await cli.call(`worker.artifact.${name}`, head, payload, { reply, timeoutMs: 5_000 })
}
