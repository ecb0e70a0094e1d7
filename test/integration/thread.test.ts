// The main job, as a newcomer has it: `start --once --json` on an empty state folder, twice, with
// real Temporal, nats-server and sandboxes; then what is left on disk, and what a changed byte does.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli } from '../support/cli.ts'
import { programPath } from '../support/programs.ts'
import { titlesOfToday } from '../support/today.ts'

const runSchema = z.object({
  requestId: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  recipe: z.string(),
  status: z.string(),
  answer: z.string(),
  steps: z.array(
    z.object({
      id: z.string(),
      agent: z.string(),
      action: z.string(),
      effect: z.string(),
      outcome: z.string(),
      attempts: z.number(),
      durationMs: z.number(),
    }),
  ),
  audit: z.object({ rows: z.number(), verified: z.boolean(), head: z.string() }),
  links: z.object({ temporal: z.string() }),
})

const base = mkdtempSync(join(tmpdir(), 'bulkhead-thread-'))
const state = join(base, 'state')
const data = join(state, 'agents')

/** Every file below a folder, but the agents' own data. */
function filesOutsideAgentsData(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/\/agents\/(calendar|feeds|notes)\/data\//.test(file))
}

function newsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('items-'))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/"title":"([^"\\]+)"/g),
    ])
    .flatMap(([, title]) => title ?? [])
}

function noteText(): string {
  const folder = join(data, 'notes', 'data')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}

function countOf(needle: string, text: string): number {
  return text.split(needle).length - 1
}

async function start(): Promise<z.infer<typeof runSchema>> {
  const { code, stdout, stderr } = await runCli(['start', '--state', state, '--once', '--json'])
  expect(code, stderr).toBe(0)
  return runSchema.parse(JSON.parse(stdout))
}

describe('the thread from a request to a verified answer', () => {
  let first: z.infer<typeof runSchema>
  let titles: readonly string[]

  beforeAll(async () => {
    first = await start()
    titles = titlesOfToday(join(data, 'calendar', 'data'))
  }, 240_000)

  afterAll(() => {
    rmSync(base, { recursive: true, force: true })
  })

  it('settles every step, over four agents', () => {
    expect(first.status).toBe('completed')
    expect(new Set(first.steps.map((step) => step.outcome))).toEqual(new Set(['settled']))
    expect(new Set(first.steps.map((step) => step.agent))).toEqual(
      new Set(['calendar', 'feeds', 'notes', 'weather']),
    )
    expect(first.steps.length).toBeGreaterThanOrEqual(6)
  })

  it("answers with today's titles, as an independent reader finds them, and keeps them in a note", () => {
    expect(titles.length).toBeGreaterThanOrEqual(4)
    for (const title of titles) {
      expect(first.answer).toContain(title)
      expect(noteText()).toContain(title)
    }
  })

  it('answers with the weather and the news of a server that it may ask, and records each request under its run', async () => {
    expect(first.answer).toMatch(/Weather\n {2}-?[\d.]+ to -?[\d.]+ °C, [a-z]/)
    const news = newsIn(join(data, 'feeds', 'data'))
    expect(news.length).toBeGreaterThan(40)
    const answered = news.filter((title) => first.answer.includes(title))
    expect(answered.length).toBeGreaterThanOrEqual(3)
    const of = ['--run', first.requestId, '--kind', 'message']
    const query = ['audit', 'query', ...of, '--json', '--state', state]
    const rows = (await runCli(query)).stdout
    expect(rows).toContain('egress:weather.0')
    // One for each feed that is followed.
    expect(countOf('egress:feeds.0', rows)).toBe(4)
  })

  it('is verified by the command itself', () => {
    expect(first.audit.verified).toBe(true)
    expect(first.audit.rows).toBeGreaterThan(10)
  })

  it('leaves nothing running', () => {
    const { stdout } = spawnSync('pgrep', ['-f', '-a', state], { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(existsSync(join(state, 'run', 'deployment.json'))).toBe(false)
  })

  it("keeps titles out of everything but the agents' own data", () => {
    const files = filesOutsideAgentsData(state)
    expect(files.length).toBeGreaterThan(20)
    for (const title of [...titles, ...newsIn(join(data, 'feeds', 'data')).slice(0, 10)]) {
      const found = files.filter((file) => readFileSync(file).includes(title))
      expect(found, title).toEqual([])
    }
  })

  it('keeps tokens out of every file', () => {
    const found = filesOutsideAgentsData(join(state, 'logs'))
      .concat(filesOutsideAgentsData(join(state, 'temporal')))
      .concat(filesOutsideAgentsData(join(state, 'notary')))
      .filter((file) =>
        /eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\./.test(readFileSync(file, 'latin1')),
      )
      // Checkpoints are signed documents too; they are meant to be kept.
      .filter((file) => !file.includes('audit.db'))
    expect(found).toEqual([])
  })

  it('runs again in one more effect: settled, not already settled, with a second entry', async () => {
    const title = titles[0] ?? ''
    const before = countOf(title, noteText())
    const again = await start()
    expect(again.requestId).not.toBe(first.requestId)
    expect(new Set(again.steps.map((step) => step.outcome))).toEqual(new Set(['settled']))
    expect(countOf(title, noteText())).toBe(before * 2)
    expect(again.audit.verified).toBe(true)
  })

  it('shows the run in Temporal with readable ids and types, and no content in clear', async () => {
    const up = spawn(
      process.execPath,
      ['cli/main.ts', 'up', '--state', state, '--config', join(state, 'bulkhead.yaml')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    try {
      await new Promise<void>((ready) => {
        up.stdout.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes('the platform is up')) ready()
        })
      })
      const deployment = JSON.parse(readFileSync(join(state, 'run', 'deployment.json'), 'utf8'))
      const { stdout } = spawnSync(
        programPath('temporal'),
        [
          ...['workflow', 'show', '--workflow-id', first.workflowId, '--output', 'json'],
          ...[
            '--address',
            deployment.temporal.address,
            '--namespace',
            deployment.temporal.namespace,
          ],
        ],
        { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
      )
      expect(first.workflowId).toMatch(/^morning-briefing-\d{8}-\d{6}-/)
      for (const step of first.steps) expect(stdout).toContain(`"${step.agent}.${step.action}"`)
      for (const title of titles) {
        expect(stdout).not.toContain(title)
        expect(stdout).not.toContain(Buffer.from(title).toString('base64').slice(0, 12))
      }
      const shown = await runCli(['runs', 'show', first.requestId, '--state', state, '--json'])
      expect(runSchema.parse(JSON.parse(shown.stdout))).toMatchObject({
        answer: first.answer,
        status: 'completed',
        audit: { verified: true },
      })
    } finally {
      up.kill('SIGINT')
      await new Promise((ended) => up.once('exit', ended))
    }
  })

  it('finds one changed byte in a stored row, and says so wherever the run is shown', async () => {
    const file = join(state, 'notary', 'audit.db')
    const untouched = readFileSync(file)
    const verified = await runCli(['audit', 'verify', '--state', state, '--json'])
    expect(verified.code, verified.stderr).toBe(0)
    const changed = Buffer.from(untouched)
    const { seq, places } = findBody(changed)
    for (const at of places) changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(file, changed)
    try {
      const verify = await runCli(['audit', 'verify', '--state', state, '--json'])
      expect(verify.code).toBe(1)
      expect(JSON.parse(verify.stdout)).toMatchObject({ ok: false, firstBadSeq: seq })
      const shown = await runCli(['runs', 'show', first.requestId, '--state', state, '--json'])
      expect(shown.code).toBe(1)
      expect(JSON.parse(shown.stdout)).toMatchObject({ audit: { verified: false } })
    } finally {
      writeFileSync(file, untouched)
    }
  })
})

/**
 * Where one byte of a decided row's body lies in the database file, and the row's number. More than
 * once, where SQLite left a stale copy behind when the table grew.
 */
function findBody(file: Buffer): { readonly seq: number; readonly places: readonly number[] } {
  const listing = spawnSync(
    process.execPath,
    [
      ...['cli/main.ts', 'audit', 'query', '--kind', 'intent', '--limit', '1'],
      ...['--state', state, '--jsonl'],
    ],
    { encoding: 'utf8' },
  )
  const row = z
    .object({ seq: z.number(), body: z.string(), prev: z.string() })
    .parse(JSON.parse(listing.stdout))
  // body and prev lie side by side in the record, which makes the place certain.
  const record = row.body + row.prev
  const places: number[] = []
  for (let at = file.indexOf(record); at >= 0; at = file.indexOf(record, at + 1)) {
    places.push(at + row.body.indexOf(':') + 2)
  }
  expect(places).not.toEqual([])
  return { seq: row.seq, places }
}
