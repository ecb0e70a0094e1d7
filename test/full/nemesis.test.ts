// A short rampage of the nemesis (`npm run nemesis` is the long one): every kind of fault once at least,
// and nothing done twice or lost.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { printTable } from '../support/case-table.ts'

const canBreak = process.platform === 'linux' && process.getuid?.() === 0
if (!canBreak) console.warn('skipped: the nemesis (mounting and cutting needs root on Linux)')

const reportSchema = z.object({
  runs: z.number(),
  settled: z.number(),
  unknown: z.number(),
  failed: z.number(),
  duplicates: z.number(),
  lost: z.number(),
  faults: z.record(z.string(), z.number()),
  details: z.array(z.string()),
  inexcusable: z.array(z.string()),
  audit: z.object({ ok: z.boolean(), gaps: z.number() }),
})

function rampage(...args: readonly string[]): Promise<string> {
  const main = join(import.meta.dirname, '..', 'nemesis', 'main.ts')
  const child = spawn(process.execPath, [main, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(said))
  })
}

describe.skipIf(!canBreak)('whatever breaks', () => {
  it('nothing happens twice, nothing is lost, and the audit agrees', async () => {
    const report = reportSchema.parse(JSON.parse(await rampage('--runs', '30', '--each', '1')))
    const { runs, settled, unknown, failed, duplicates, lost, faults } = report
    printTable(
      'the nemesis',
      ['runs', 'settled', 'unknown', 'failed', 'duplicates', 'lost', 'faults'],
      [[...[runs, settled, unknown, failed, duplicates, lost].map(String), JSON.stringify(faults)]],
    )
    expect([duplicates, lost], report.details.join('\n')).toEqual([0, 0])
    expect(report.audit).toEqual({ ok: true, gaps: 0 })
    expect(Math.min(...Object.values(faults))).toBeGreaterThan(0)
    expect(settled).toBeGreaterThan(runs / 2)
  })
})
