// `npm run soak -- [--minutes 60] [--fault-every <seconds>] [--json]`: a whole deployment at its everyday
// work, schedules firing every ten seconds and every minute. Says how available it was, what each
// process and each database grew by, and what became of every firing. Ctrl-C ends it early, with the
// report of what was seen; nothing is left behind.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isGood, toText } from './report.ts'
import { soak } from './soak.ts'

const usage = `usage: npm run soak -- [--minutes 60] [--fault-every <seconds>] [--json]
  --minutes      how long; fractions are fine
  --fault-every  kills one process so often, each kind in turn; none without it
  --json         the report as one document
Exit code 0: nothing doubled or lost, no firing missing, the audit agrees. 130: interrupted.
`

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '60' },
        'fault-every': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const { minutes, json, help, 'fault-every': every } = values
    return {
      durationMs: toMs(minutes, 60_000),
      faultEveryMs: every && toMs(every, 1_000),
      json,
      help,
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(2)
  }
}

/** @throws Error for anything that is no positive number */
function toMs(text: string, unitMs: number): number {
  const ms = Number(text) * unitMs
  if (!Number.isFinite(ms) || ms <= 0) throw new Error(`not a time: ${text}`)
  return ms
}

const { durationMs, faultEveryMs, json, help } = readOptions()
if (help) {
  process.stdout.write(usage)
  process.exit(0)
}
if (process.platform !== 'linux') {
  process.stderr.write('the soak reads /proc: run it on Linux\n')
  process.exit(2)
}

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupt.abort())
}
const base = mkdtempSync(join(tmpdir(), 'bulkhead-soak-'))
try {
  const report = await soak({
    state: join(base, 'state'),
    durationMs,
    faultEveryMs: faultEveryMs || undefined,
    interrupted: interrupt.signal,
    say: (line) => process.stderr.write(`${line}\n`),
  })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : toText(report))
  process.exitCode = report.interrupted ? 130 : isGood(report) ? 0 : 1
} finally {
  rmSync(base, { recursive: true, force: true })
}
// A session that broke may still be waiting for its time.
process.exit()
