// `npm run bench -- [--only dag] [--rounds 21] [--write] [--json]`: measures, prints, and with --write
// keeps the results in bench/RESULTS.md. A program and no test: what it says depends on the machine.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { dagBench } from './dag.ts'
import { customary } from './harness.ts'
import { policyBench } from './policy.ts'
import {
  type BenchResult,
  brokenPromises,
  mergeResults,
  readResults,
  toMarkdown,
} from './results.ts'
import { scaleBench } from './scale.ts'

const benches: readonly Bench[] = [dagBench, scaleBench, policyBench]

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: String(customary.rounds) },
    tries: { type: 'string', default: String(customary.maxTries) },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(`usage: npm run bench -- [--only <name>] [--rounds 21] [--tries 3] [--write] [--json]
  --only    one of ${benches.map(({ name }) => name).join(', ')}; may be given several times
  --rounds  how often every side is measured
  --tries   how often a measurement is made that spreads too much
  --write   keep the results in bench/RESULTS.md
  --json    print them as JSON
Exit code 0: every ratio that is promised holds.
`)
  process.exit(0)
}

const chosen = benches.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
const [rounds, maxTries] = [Number(values.rounds), Number(values.tries)]
if (chosen.length === 0 || !(rounds >= 1) || !(maxTries >= 1)) {
  process.stderr.write('no such bench, or no such number; see --help\n')
  process.exit(2)
}
const say = (line: string) => void process.stderr.write(`${line}\n`)
const results: BenchResult[] = []
for (const bench of chosen) {
  say(`${bench.name}:`)
  const measure = { ...customary, rounds, maxTries, now: () => performance.now(), say }
  const asked = process.argv.slice(2).filter((word) => word !== '--json')
  const command = ['npm run bench', ...(asked.length === 0 ? [] : ['--', ...asked])].join(' ')
  results.push(...(await bench.run({ measure, command })))
}
const file = join(import.meta.dirname, 'RESULTS.md')
if (values.write) {
  const known = existsSync(file) ? readResults(readFileSync(file, 'utf8')) : []
  writeFileSync(file, toMarkdown(mergeResults(known, results)))
}
process.stdout.write(values.json ? `${JSON.stringify(results)}\n` : toMarkdown(results))
const broken = results.flatMap(brokenPromises)
for (const line of broken) say(line)
process.exit(broken.length === 0 ? 0 : 1)
