// Runs the model's tool: type check and simulation, with TypeScript's evaluator, because the other one
// is fetched from the network when it is first used. Nothing is written but traces, where told to.

import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const program = join(
  dirname(createRequire(import.meta.url).resolve('@informalsystems/quint/package.json')),
  'dist/src/cli.js',
)
const model = join(import.meta.dirname, '../../docs/model/effects.qnt')

export interface Simulation {
  readonly init: string
  readonly step?: string
  readonly seed: string
  readonly samples: number
  /** Beyond this a trace is cut off. */
  readonly maxSteps: number
  readonly invariants?: readonly string[]
  /** Expressions that are counted. */
  readonly witnesses?: readonly string[]
  /** Where traces go; `{seq}` is their number. Without it none are written. */
  readonly traces?: string
}

export interface Simulated {
  readonly isViolated: boolean
  /** In how many samples each witness was true. */
  readonly witnessed: ReadonlyMap<string, number>
  readonly output: string
}

/** @throws Error when the model does not type check */
export async function typecheck(): Promise<void> {
  await run(process.execPath, [program, 'typecheck', model])
}

/** The same seed gives the same samples. */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  const { init, step = 'step', seed, samples, maxSteps, traces } = simulation
  const { invariants = [], witnesses = [] } = simulation
  const args = ['run', model, '--backend=typescript', '--verbosity=1', `--seed=${seed}`]
  args.push(`--init=${init}`, `--step=${step}`, `--max-samples=${samples}`)
  args.push(`--max-steps=${maxSteps}`)
  if (invariants.length > 0) args.push('--invariants', ...invariants)
  if (witnesses.length > 0) args.push('--witnesses', ...witnesses)
  if (traces !== undefined) args.push(`--n-traces=${samples}`, `--out-itf=${traces}`)
  const ended = await run(process.execPath, [program, ...args]).then(
    ({ stdout, stderr }) => ({ isViolated: false, output: stdout + stderr }),
    // It exits with 1 for a violation and for a mistake alike; its words tell them apart.
    (error: { readonly stdout?: string; readonly stderr?: string }) => ({
      isViolated: true,
      output: `${error.stdout}${error.stderr}`,
    }),
  )
  const isTold = /\[(ok|violation)\]/.test(ended.output)
  if (!isTold) throw new Error(`the simulator did not run: ${ended.output}`)
  return { ...ended, witnessed: readWitnesses(ended.output) }
}

function readWitnesses(output: string): ReadonlyMap<string, number> {
  const lines = output.matchAll(/^(.*) was witnessed in (\d+) trace/gm)
  return new Map([...lines].map(([, witness = '', times]) => [witness, Number(times)]))
}
