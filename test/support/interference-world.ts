// One run of one plan in memory, on files of its own, with one agent in somebody else's hands. What the
// honest agents were asked to do is the record.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CompileContext, compileSource } from '../../plan/compile.ts'
import { createHarness } from '../notary/harness.ts'
import { createAgents, type Done, type Staff } from './memory-agents.ts'
import { runInMemory } from './memory-run.ts'

export interface Run {
  readonly status: string
  readonly done: readonly Done[]
}

export interface Scene extends Staff, Pick<CompileContext, 'decide' | 'names'> {
  readonly source: string
}

/** Nothing here is to outlive its run, and two thousand of them would wait for a disk. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const requestId = 'r-1'

/** @returns undefined where the compiler refuses the plan */
export async function play(scene: Scene): Promise<Run | undefined> {
  const { catalogue, decide, names, source } = scene
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide, names })
  if (!compiled.ok) return undefined
  const base = mkdtempSync(join(memory, 'bulkhead-interference-'))
  const notary = join(base, 'notary')
  mkdirSync(notary)
  const given = names === undefined ? {} : { names }
  const harness = await createHarness({ catalogue, decide, folder: notary, ...given })
  try {
    const agents = new Set(compiled.plan.steps.map(({ agent }) => agent))
    for (const agent of agents) await harness.boot({ agent, bootEpoch: `epoch-${agent}-1` })
    const call = { requestId, kind: 'plan', name: 'test', source, inputs: {}, priority: 'MEDIUM' }
    const registered = await harness.notary.request('cli', call)
    if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
    const { plan, digest } = compiled
    const admitted = await harness.notary.admit('worker', { requestId, plan })
    if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))
    const done: Done[] = []
    const agentsAt = createAgents(harness, scene, done)
    const folder = join(base, 'artifacts')
    const run = { harness, catalogue, requestId, plan, digest, folder, agentsAt }
    return { status: await runInMemory(run), done }
  } finally {
    await harness.close()
    rmSync(base, { recursive: true, force: true })
  }
}
