// Runs that were under way when the code changed must go on: every kept history is replayed with
// today's workflow. A failure here means that the workflow's commands have changed.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleWorkflows } from '../../temporal/bundle.ts'
import { createDataConverter } from '../../temporal/data-converter.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

const histories = join(import.meta.dirname, '..', 'histories')
const names = (await readdir(histories)).filter((name) => name.endsWith('.json'))
// The key of test/support/keep-history.ts; nothing real is sealed with it.
const key = Buffer.alloc(32, 42)

let folder: string
let codePath: string
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] })
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-replay-'))
  codePath = join(folder, 'workflows.js')
  await writeFile(codePath, await bundleWorkflows(new DefaultLogger('ERROR')))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface History {
  readonly events: readonly Record<string, unknown>[]
}
const replay = async (history: History, by = key) =>
  await Worker.runReplayHistory(
    {
      workflowBundle: { codePath },
      dataConverter: createDataConverter({ keys: oneKey(by), namespace: 'bulkhead' }),
    },
    history,
    workflowIdOf(history),
  )
/** `firing` names its run after its own id. */
function workflowIdOf({ events }: History): string {
  const started = events[0]?.['workflowExecutionStartedEventAttributes']
  const id = started !== null && typeof started === 'object' && 'workflowId' in started
  if (!id) throw new Error('the history does not begin with a start')
  return String(started.workflowId)
}
const read = async (name: string): Promise<History> =>
  JSON.parse(await readFile(join(histories, name), 'utf8'))

describe('kept histories', () => {
  it('exist', () => {
    expect(names.length).toBeGreaterThan(0)
  })

  it.each(names)('%s replays with the workflow as it is now', async (name) => {
    await expect(replay(await read(name))).resolves.toBeUndefined()
  })

  it.each(names)('%s holds nothing of the run in clear', async (name) => {
    const text = await readFile(join(histories, name), 'utf8')
    const payloads = [...text.matchAll(/"data": "([A-Za-z0-9+/=]+)"/g)]
    expect(payloads.length).toBeGreaterThan(0)
    for (const word of ['request-ref', 'plan-ref', 'plan-digest']) {
      expect(text).not.toContain(word)
      expect(text).not.toContain(Buffer.from(`"${word}"`).toString('base64').slice(2, -4))
    }
  })

  it('do not replay when a command is another one', async () => {
    const history = await read('request-1-completed.json')
    const text = JSON.stringify(history).replaceAll('"notes.append"', '"notes.retract"')
    await expect(replay(JSON.parse(text))).rejects.toThrow()
  })
})
