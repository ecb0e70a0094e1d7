// Tries one parser in a process of its own, and says what became of each input, and how much memory the
// process has taken at most: what a hostile input costs is not to be had where other tests run beside it.

import { parsers } from './parsers.ts'
import { allKinds } from './trial.ts'

const [name = ''] = process.argv.slice(2)
const parser = parsers[name]
if (parser === undefined) throw new Error(`there is no parser ${name}`)
for (const kind of allKinds) {
  const cell = parser.cells[kind]
  for (const trial of 'not' in cell ? [] : cell) {
    const ended = await trial.run()
    process.stdout.write(`${JSON.stringify({ kind, what: trial.what, ended })}\n`)
  }
}
// Of the kernel's account (getrusage(2)), in kibibytes.
process.stdout.write(`${JSON.stringify({ peakBytes: process.resourceUsage().maxRSS * 1024 })}\n`)
