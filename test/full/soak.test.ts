// A short soak (`npm run soak` is the long one), and one that is ended with Ctrl-C.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { printTable } from '../support/case-table.ts'
import { processesOf } from '../support/deployment.ts'

const isLinux = process.platform === 'linux'
if (!isLinux) console.warn('skipped: the soak (it reads /proc)')

const course = z.strictObject({
  first: z.number(),
  median: z.number(),
  most: z.number(),
  last: z.number(),
  perHour: z.number().nullable(),
})
const availability = z.strictObject({
  asked: z.int(),
  answered: z.int(),
  fraction: z.number().min(0).max(1).nullable(),
})
const reportSchema = z.strictObject({
  durationMs: z.int(),
  interrupted: z.boolean(),
  availability: z.strictObject({
    supervisor: availability,
    notary: availability,
    worker: availability,
    temporal: availability,
    workflow: availability,
  }),
  runs: z
    .looseObject({
      runs: z.int(),
      settled: z.int(),
      failed: z.int(),
      unknown: z.int(),
      duplicates: z.int(),
      lost: z.int(),
      details: z.array(z.string()),
    })
    .nullable(),
  firings: z.array(
    z.strictObject({
      schedule: z.string(),
      due: z.int(),
      outcomes: z.record(z.string(), z.int()),
      missing: z.array(z.string()),
      others: z.array(z.looseObject({ at: z.int(), outcome: z.string() })),
    }),
  ),
  processes: z.array(
    z.strictObject({
      name: z.string(),
      pid: z.int(),
      samples: z.int(),
      rssKb: course,
      pssKb: course.nullable(),
      files: course,
    }),
  ),
  sizes: z.array(
    z.strictObject({
      name: z.string(),
      firstBytes: z.int(),
      lastBytes: z.int(),
      bytesPerHour: z.number().nullable(),
    }),
  ),
  faults: z.record(z.string(), z.int()),
  audit: z.strictObject({ ok: z.boolean(), rows: z.int(), gaps: z.int() }).nullable(),
})

const temporary = mkdtempSync(join(tmpdir(), 'bulkhead-soaks-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

interface Soak {
  readonly child: ChildProcess
  readonly said: () => string
  readonly ended: Promise<{ readonly code: number | null; readonly report: unknown }>
}

function startSoak(...args: readonly string[]): Soak {
  const main = join(import.meta.dirname, '..', 'soak', 'main.ts')
  const child = spawn(process.execPath, [main, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
    // A group of its own, as a terminal gives to what is typed in it.
    detached: true,
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString()
  })
  const ended = new Promise<Awaited<Soak['ended']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (said.out === '') reject(new Error(`no report (exit ${code}): ${said.err}`))
      else resolve({ code, report: JSON.parse(said.out) })
    })
  })
  return { child, said: () => said.err, ended }
}

const leftovers = () => [
  ...readdirSync(temporary),
  ...processesOf(temporary).map(({ command }) => command),
]

describe.skipIf(!isLinux)('a soak', () => {
  it('says how available everything was, what grew, and what became of every firing', async () => {
    const soak = startSoak('--minutes', '1.5')
    const { code, report } = await soak.ended
    const { availability, runs, firings, processes, sizes, audit } = reportSchema.parse(report)
    printTable(
      'availability',
      ['part', 'asked', 'answered'],
      Object.entries(availability).map(([part, { asked, answered }]) => [
        ...[part, String(asked), String(answered)],
      ]),
    )
    expect([runs?.duplicates, runs?.lost], runs?.details.join('\n')).toEqual([0, 0])
    expect(audit, soak.said()).toMatchObject({ ok: true, gaps: 0 })
    for (const firing of firings) {
      expect(firing.due).toBeGreaterThan(0)
      expect(firing).toMatchObject({ missing: [], others: [] })
    }
    // Nothing was broken, so only a machine at its limits keeps a part from answering in time.
    for (const { asked, fraction } of Object.values(availability)) {
      expect(asked).toBeGreaterThan(0)
      expect(fraction).toBeGreaterThan(0.9)
    }
    const names = ['agent test.0', 'nats-server', 'notary', 'supervisor', 'temporal', 'worker']
    for (const name of names) {
      const life = processes.find((one) => one.name === name)
      expect(life, name).toMatchObject({ rssKb: { perHour: expect.any(Number) } })
    }
    const databases = ['notary/audit.db', 'temporal/temporal.db', 'agents/test.0/ledger/ledger.db']
    expect(sizes.map(({ name }) => name)).toEqual(expect.arrayContaining(databases))
    expect(code).toBe(0)
    expect(leftovers()).toEqual([])
  })

  it('is ended by Ctrl-C with what it has seen, and leaves nothing behind', async () => {
    const soak = startSoak('--minutes', '60')
    await expect.poll(soak.said, { timeout: 120_000 }).toContain('soaking')
    process.kill(-(soak.child.pid ?? 0), 'SIGINT')
    const { code, report } = await soak.ended
    expect(code).toBe(130)
    const found = reportSchema.parse(report)
    expect(found).toMatchObject({ interrupted: true, runs: null, audit: null })
    expect(found.processes.length).toBeGreaterThan(0)
    expect(leftovers()).toEqual([])
  })
})
