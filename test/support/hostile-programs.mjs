// What an agent that declares programs can start, tried from inside its sandbox; the report goes to
// /ledger/report.json. Plain JavaScript: it is mounted as it is.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

const report = {}
/** Exit code, or why there was no start. */
const start = (command, args = [], env = {}) => {
  const { error, status, stdout } = spawnSync(command, args, { env, encoding: 'utf8' })
  return error === undefined ? `${status} ${stdout.trim()}` : error.code
}
const [own] = readdirSync('/programs')
const program = `/programs/${own}/run`
const loader = readdirSync(`/programs/${own}/lib`).find((name) => name.startsWith('ld-'))
report['the declared program'] = start(program, ['say'], { ONLY: 'this' })
report['its network'] = start(program, [
  'dial',
  String(JSON.parse(readFileSync('/secrets/config.json', 'utf8')).hostPort),
])
report['its namespaces'] = start(program, ['namespaces'])
report['its privileges'] = start(program, ['status'])
for (const folder of ['/tmp', '/ledger']) {
  const copy = `${folder}/copy`
  copyFileSync(program, copy)
  chmodSync(copy, 0o700)
  report[`a copy in ${folder}`] = start(copy, ['say'])
  report[`a copy in ${folder} by the loader`] = start(`/programs/${own}/lib/${loader}`, [
    copy,
    'say',
  ])
  const script = `${folder}/script`
  writeFileSync(script, `#!${program}\n`, { mode: 0o700 })
  report[`a script in ${folder}`] = start(script)
}
for (const shell of ['/bin/sh', '/usr/bin/env', '/usr/bin/node', 'sh']) report[shell] = start(shell)
report['its own bundle'] = start('/agent/agent.mjs')
report['a secret'] = start('/secrets/config.json')
try {
  writeFileSync(program, 'x')
  report['change the program'] = 'done'
} catch (error) {
  report['change the program'] = error.code
}
writeFileSync('/ledger/program', '#!/agent/node', { mode: 0o700 })
try {
  process.dlopen({ exports: {} }, '/agent/better_sqlite3.node')
} catch {
  // Its constructor has tried the system calls; it is no module.
}
writeFileSync('/ledger/report.json', JSON.stringify(report))
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
process.on('SIGTERM', () => process.exit(0))
setInterval(() => undefined, 1_000)
