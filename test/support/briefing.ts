// The shipped briefing, run in a deployment as a person runs it.

import { expect } from 'vitest'
import type { z } from 'zod'
import { runCli } from './cli.ts'
import { runSchema } from './cli-shapes.ts'

/** Runs it to its end, which must be a good one. */
export async function brief(state: string): Promise<z.infer<typeof runSchema>> {
  const asked = ['run', 'morning-briefing', '--state', state, '--json']
  const { code, stdout, stderr } = await runCli(asked)
  expect(code, stderr).toBe(0)
  return runSchema.parse(JSON.parse(stdout))
}
