// What is behind each wall of a sandbox, tried once each; the report goes to /ledger/report.json. Plain
// JavaScript: it is mounted as it is. Loads the system call probe in place of SQLite's addon first.

import { copyFileSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'

const report = {}
const attempt = (name, act) => {
  try {
    report[name] = act() ?? 'done'
  } catch (error) {
    report[name] = error.code === 'ERR_DLOPEN_FAILED' ? error.message : (error.code ?? error.name)
  }
}
writeFileSync('/ledger/program', '#!/agent/node', { mode: 0o700 })
attempt('load', () => process.dlopen({ exports: {} }, '/agent/better_sqlite3.node'))
for (const folder of ['', '/secrets', '/dev', '/proc/sys/kernel']) {
  attempt(`write ${folder}/`, () =>
    writeFileSync(`${folder}/${folder.startsWith('/proc') ? 'hostname' : 'probe'}`, 'x'),
  )
}
for (const folder of ['/tmp', '/ledger', '/secrets']) {
  attempt(`exec ${folder}`, () => {
    if (folder !== '/secrets') copyFileSync('/agent/better_sqlite3.node', `${folder}/addon.node`)
    process.dlopen({ exports: {} }, `${folder}/addon.node`)
  })
}
attempt('fill /tmp', () => writeFileSync('/tmp/large', Buffer.alloc(32 * 1024 * 1024)))
attempt('processes', () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length)
attempt('interfaces', () => readFileSync('/proc/net/dev', 'utf8').match(/\w+:/g).join(''))
attempt('keys', () => readFileSync('/proc/timer_list', 'utf8').length)
const status = readFileSync('/proc/self/status', 'utf8')
for (const name of ['Seccomp', 'NoNewPrivs', 'CapEff', 'CapBnd']) {
  report[name] = new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1]
}
attempt('environment', () =>
  Object.keys(process.env)
    .toSorted((a, b) => a.localeCompare(b))
    .join(),
)
attempt('limits', () => /open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
const { hostPort } = JSON.parse(readFileSync('/secrets/config.json', 'utf8'))
report['host port'] = await new Promise((resolve) => {
  const socket = connect({ host: '127.0.0.1', port: hostPort })
  socket.once('connect', () => resolve('connected'))
  socket.once('error', (error) => resolve(error.code))
})
writeFileSync('/ledger/report.json', JSON.stringify(report))
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
process.on('SIGTERM', () => process.exit(0))
setInterval(() => undefined, 1_000)
