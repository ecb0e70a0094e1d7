// `node agents/check/main.ts <agent's folder> --scratch <folder> --out <file> [--seed n] [--draws n]`:
// checks one agent in this process and writes the report to the file, because the agent may write to
// standard output. Started by the command `agent check` with Node's permission model, which lets it read
// the project and write its scratch folder and nothing else.

import { writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkAgent } from './check-agent.ts'
import { type AgentReport, Tally } from './contract.ts'
import { loadSubject } from './subject.ts'
import { refuseNetwork, takeFilesAsKept } from './watch.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scratch: { type: 'string' },
    out: { type: 'string' },
    seed: { type: 'string', default: '1' },
    draws: { type: 'string', default: '40' },
  },
})
const [folder] = positionals
if (folder === undefined || values.scratch === undefined || values.out === undefined) {
  throw new Error('a folder, --scratch <folder> and --out <file> are wanted')
}
const tally = new Tally()
refuseNetwork((what) => tally.add('NETWORK', tally.current, what))
takeFilesAsKept()
// In a sandbox either ends the agent.
process.on('unhandledRejection', () => {
  tally.add('UNTYPED_FAILURE', tally.current, 'it leaves a promise that fails later')
})
process.on('uncaughtException', () => {
  tally.add('UNTYPED_FAILURE', tally.current, 'it throws later, where nobody catches it')
})
const name = basename(resolve(folder))
const subject = await loadSubject(resolve(folder), tally)
if (subject !== undefined) {
  const options = {
    scratch: resolve(values.scratch),
    seed: Number(values.seed),
    draws: Number(values.draws),
  }
  await checkAgent({ ...subject, folder: name }, tally, options)
}
const report: AgentReport = {
  agent: name,
  ok: tally.found.length === 0,
  checks: tally.checks,
  findings: tally.found,
}
writeFileSync(values.out, JSON.stringify(report))
// Whatever the agent left running ends here.
process.exit(0)
