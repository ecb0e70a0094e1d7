// Asks each program of a sandbox for its version, as an agent would start it; the report goes to
// /ledger/report.json. Plain JavaScript: it is mounted as it is.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync, writeSync } from 'node:fs'

const { programs } = JSON.parse(readFileSync('/secrets/config.json', 'utf8'))
const report = {}
for (const { name, command, env } of programs) {
  const [program, ...words] = command
  const args = [...words, name === 'restic' ? 'version' : '--version']
  const { error, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
  report[name] = error === undefined ? `${stdout}${stderr}`.trim() : error.code
}
writeFileSync('/ledger/syscalls.txt', '')
writeFileSync('/ledger/report.json', JSON.stringify(report))
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
process.on('SIGTERM', () => process.exit(0))
setInterval(() => undefined, 1_000)
