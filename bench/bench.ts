// What a bench is, and what it is given.

import type { MeasureOptions } from './harness.ts'
import type { BenchResult } from './results.ts'

export interface BenchOptions {
  readonly measure: MeasureOptions
  /** As a person types it, for the record. */
  readonly command: string
}

export interface Bench {
  /** `--only` asks for it by this; a result is named `<name>` or `<name>, <variant>`. */
  readonly name: string
  /** Starts what it needs, measures, and leaves nothing behind. */
  run(options: BenchOptions): Promise<readonly BenchResult[]>
}
