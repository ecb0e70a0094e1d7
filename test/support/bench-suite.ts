// A bench for all tests of one file, and runs on it whose ids are told apart.

import { afterAll } from 'vitest'
import { startBench, type TemporalBench } from './temporal-worker.ts'

export interface BenchSuite {
  readonly bench: TemporalBench
  /** Begins a run, and says what it is called. */
  submit(): Promise<string>
}

/** At the top of a file: the bench ends with its tests. */
export async function benchSuite(name: string): Promise<BenchSuite> {
  const bench = await startBench()
  afterAll(() => bench.stop())
  let drawn = 0
  return {
    bench,
    async submit() {
      drawn += 1
      const requestId = `${name}-${drawn}`
      await bench.client.submit({ requestId, requestRef: 'request-ref' })
      return requestId
    },
  }
}
