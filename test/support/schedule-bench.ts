// Schedules against a real Temporal server, a real notary on a file, and a real worker whose steps do
// nothing but take time. Commands of a person are the notary's calls and the client's, as
// cli/commands/schedule.ts makes them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { openArtifactStore } from '../../activities/artifacts.ts'
import { compilePlan } from '../../activities/compile-plan.ts'
import { standingOf } from '../../activities/request-document.ts'
import { type FiringReport, readFirings } from '../../cli/firing-outcomes.ts'
import type { ScheduleReply } from '../../notary/standing-contract.ts'
import type { SchedulePolicy, ScheduleSpec } from '../../plan/schedule.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { catalogue } from '../notary/catalogue.ts'
import { createHarness } from '../notary/harness.ts'
import { decide } from './policy.ts'
import { scriptActivities } from './scripted-activities.ts'
import { startBench } from './temporal-worker.ts'

/** What a schedule of the test runs: one read, whose argument is the day on which it was due. */
const source = `
version: 1
goal: look
inputs: { day: { type: date, default: today } }
steps: [{ id: look, agent: desk, action: list, args: { day: { $input: day } } }]
answer: { from: [look] }
`

export interface Enabled {
  readonly id: string
  readonly spec: ScheduleSpec
  readonly policy: SchedulePolicy
}

export async function startScheduleBench(
  /** How long a run of a schedule takes. */
  runMs: (schedule: string) => number = () => 0,
) {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-schedules-'))
  const bench = await startBench()
  const harness = await createHarness({ clock: { time: 0, now: () => Date.now() } })
  const key = Buffer.alloc(32, 9)
  const artifacts = await openArtifactStore({ folder, key, sealing: oneKey(key) })
  const unused = () => Promise.reject(new Error('steps are scripted'))
  const scripted = scriptActivities([])
  const stopWorker = await bench.startWorker({
    ...scripted,
    compilePlan: (input) =>
      compilePlan(input, {
        artifacts,
        notary: {
          admit: (call) => harness.notary.admit('worker', call),
          authorize: unused,
          settle: unused,
        },
        catalogue,
        decide,
        now: () => Date.now(),
      }),
    default: async (input) => {
      const until = Date.now() + runMs(input.requestId.split(':')[1] ?? '')
      for (;;) {
        Context.current().heartbeat()
        const left = until - Date.now()
        if (left <= 0) break
        await delay(Math.min(left, 1_000))
      }
      return await scripted.default(input)
    },
  })
  const { schedules } = bench.client
  const ask = (payload: object): Promise<ScheduleReply> => harness.notary.schedule('cli', payload)
  return {
    bench,
    harness,
    ask,
    /** Enables it with the notary and on the server. */
    async add({ id, spec, policy }: Enabled): Promise<void> {
      const document = { kind: 'plan', name: id, source, inputs: {} }
      const requestRef = await artifacts.put(Buffer.from(JSON.stringify(document)), {
        kind: 'request',
        requestId: standingOf(id),
        readers: ['user:owner'],
        createdAt: Date.now(),
      })
      const more = { op: 'add', priority: 'MEDIUM', note: '' } as const
      const reply = await ask({ ...more, ...document, id, spec, policy })
      if (reply.status !== 'REGISTERED') throw new Error(JSON.stringify(reply))
      await schedules.put({
        ...{ id, spec, policy, note: '', paused: false, requestRef, priority: 'MEDIUM' },
      })
    },
    /** What became of its due times, the latest first, as `schedule show` says it. */
    async outcomes(id: string): Promise<readonly FiringReport[]> {
      const shown = await ask({ op: 'show', id, limit: 100 })
      if (shown.status !== 'SHOWN') throw new Error(JSON.stringify(shown))
      return readFirings(shown, bench.client, { now: Date.now(), limit: 100 })
    },
    /** The plan that the notary admitted for a run. */
    planOf: (requestId: string) => harness.store.state.planText(requestId) ?? '',
    async stop() {
      await stopWorker()
      await bench.stop()
      await harness.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type ScheduleBench = Awaited<ReturnType<typeof startScheduleBench>>
