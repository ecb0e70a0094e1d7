// What a compromised agent would try first, run inside a real sandbox in place of an agent. Writes
// what happened to /ledger/result.json (names of attempts -> 'done' or an error code), says that it
// is ready, and stays until it is told to leave. Plain JavaScript: it is mounted as it is.

import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { connect } from 'node:net'
import { getuid, kill } from 'node:process'

const wanted = JSON.parse(readFileSync('/secrets/config.json', 'utf8'))
const result = {}

const attempt = (name, act) => {
  try {
    result[name] = act() ?? 'done'
  } catch (error) {
    result[name] = error.code ?? error.name
  }
}
const dial = (name, target) =>
  new Promise((resolve) => {
    const socket = connect(target)
    const end = (what) => {
      result[name] = what
      socket.destroy()
      resolve()
    }
    socket.once('connect', () => end('connected'))
    socket.once('error', (error) => end(error.code))
  })
const datagram = (name, port, host) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.send('x', port, host, (error) => {
      result[name] = error?.code ?? 'sent'
      socket.close(resolve)
    })
  })

const status = readFileSync('/proc/self/status', 'utf8')
result.status = Object.fromEntries(
  [...status.matchAll(/^(Seccomp|NoNewPrivs|Cap\w+):\s*(\S+)/gm)].map(([, key, value]) => [
    key,
    value,
  ]),
)
result.uid = getuid()
result.environment = Object.keys(process.env).toSorted((a, b) => a.localeCompare(b))
result.root = readdirSync('/')
result.processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
result.interfaces = readFileSync('/proc/net/dev', 'utf8')
  .split('\n')
  .slice(2)
  .map((line) => line.split(':')[0].trim())
  .filter((name) => name !== '')
result.shells = ['/bin/sh', '/usr/bin/env', '/bin/busybox', '/etc/passwd'].filter(existsSync)

for (const folder of ['/', '/agent', '/secrets', '/dev', '/run', '/proc/sys/kernel', '/data/ro']) {
  attempt(`write ${folder}`, () => writeFileSync(`${folder}/probe`, 'x'))
}
attempt('write a setting', () => writeFileSync('/proc/sys/kernel/hostname', 'x'))
attempt('overwrite own code', () => writeFileSync('/agent/agent.mjs', 'x'))
for (const folder of ['/ledger', '/tmp', '/data/rw']) {
  attempt(`write ${folder}`, () => writeFileSync(`${folder}/probe`, 'x'))
}
for (const folder of ['/tmp', '/ledger', '/data/rw']) {
  const file = `${folder}/addon.node`
  copyFileSync('/agent/better_sqlite3.node', file)
  try {
    process.dlopen({ exports: {} }, file)
    result[`load code from ${folder}`] = 'done'
  } catch (error) {
    result[`load code from ${folder}`] = error.message
  }
}
attempt('fill /tmp', () => writeFileSync('/tmp/large', Buffer.alloc(32 * 1024 * 1024)))
attempt('load the addon', () => process.dlopen({ exports: {} }, '/agent/better_sqlite3.node'))
attempt('start a process', () => spawnSync('/agent/node', ['--version']).error?.code)
attempt('code from a string', () => new Function('return 1')() && 'done')
attempt('signal a process of the host', () => kill(wanted.hostPid, 0) && 'done')

await dial('host loopback', { host: '127.0.0.1', port: wanted.hostPort })
await dial('host address', { host: wanted.hostAddress, port: wanted.hostPort })
await dial('host abstract socket', { path: `\0${wanted.abstractName}` })
await dial('ipv6 loopback', { host: '::1', port: wanted.hostPort })
await dial('bus socket', { path: '/run/bus.sock' })
await datagram('datagram to the host', wanted.hostPort, wanted.hostAddress)

// Written beside and renamed by nobody: the test reads it after the ready line.
writeFileSync('/ledger/result.json', JSON.stringify(result))
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
process.on('SIGTERM', () => wanted.stubborn || process.exit(0))
setInterval(() => undefined, 1_000)
if (wanted.hoard) {
  const hoard = []
  setInterval(() => hoard.push(Buffer.alloc(16 * 1024 * 1024, 1)), 5)
}
