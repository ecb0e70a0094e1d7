// An agent that says it is ready, never speaks, ignores being told to leave and does not care whether
// its bus is there: what a compromised one would do when the supervisor dies.

import { writeSync } from 'node:fs'

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined)
setInterval(() => undefined, 1_000)
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
