// `npm run nemesis -- [--runs 200] [--seed 1] [--each 10] [--lane on] [--json]`: a whole deployment on a small disk
// of its own, runs going through it all the while, and something that kills, stops, cuts, fills and
// resets whatever it can. At the end nothing may have been done twice or lost. Linux, as root: disks
// and connections are not an ordinary user's to break.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Connection } from '../support/connection.ts'
import type { TestDeployment } from '../support/deployment.ts'
import { programPath } from '../support/programs.ts'
import { type AuditVerdict, startNemesisDeployment, verifyWhenQuiet } from './deployment.ts'
import { type FaultKind, faultKinds, inflict } from './faults.ts'
import { judge } from './judge.ts'
import { readWorld } from './outside.ts'
import { drawJob, type Ending, perform } from './workload.ts'

const diskMiB = 1_024
/** Runs under way at once. */
const concurrency = 6
const endingMs = 60 * 60_000
/** From one fault to the next: some meet while the one before is being mended, most do not. */
const betweenMs = { least: 1_000, more: 4_000 }

interface Report {
  readonly runs: number
  readonly faults: Readonly<Record<string, number>>
  readonly duplicates: number
  readonly lost: number
  readonly unknown: number
  readonly settled: number
  readonly failed: number
  readonly inexcusable: readonly string[]
  readonly details: readonly string[]
  readonly audit: AuditVerdict
  readonly seed: number
  readonly tookMs: number
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    each: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    lane: { type: 'string', default: 'on' },
    json: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(`usage: npm run nemesis -- [--runs 200] [--each 10] [--seed 1] [--lane on] [--json]
  --runs  how many runs at least
  --each  how often every kind of fault must have hit, at least
  --seed  another order of faults
  --lane  on or off: whether short steps run inside their run's workflow task
Exit code 0: nothing doubled, nothing lost, nine of ten runs settled, the audit agrees.
`)
  process.exit(0)
}

if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  process.stderr.write(
    'the nemesis mounts a small disk and cuts connections: run it as root on Linux\n',
  )
  process.exit(2)
}
if (!values.inside) {
  // In a mount namespace of its own, so that its disk ends with it, however it ends.
  const args = ['--mount', '--', process.execPath, fileURLToPath(import.meta.url), '--inside']
  const { status } = spawnSync('unshare', [...args, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const base = mkdtempSync(join(tmpdir(), 'bulkhead-nemesis-'))
const image = `${base}.img`
execFileSync('truncate', ['-s', `${diskMiB}M`, image])
execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image])
execFileSync('mount', ['-o', 'loop', image, base])
const report = await rampage(join(base, 'state')).finally(() => {
  execFileSync('umount', ['--lazy', base])
  rmSync(base, { recursive: true, force: true })
  rmSync(image, { force: true })
})
const ok =
  report.duplicates === 0 &&
  report.lost === 0 &&
  report.inexcusable.length === 0 &&
  report.settled >= report.runs * 0.9 &&
  report.audit.ok
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
else process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.exit(ok ? 0 : 1)

async function rampage(state: string): Promise<Report> {
  const startedAt = performance.now()
  const seed = Number(values.seed)
  const random = createRandom(seed)
  const deployment = await startNemesisDeployment(state, { fastLane: values.lane === 'on' })
  const connection = new Connection(state)
  const each = Number(values.each)
  const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0]))
  const underway = new Set<string>()
  const signal = AbortSignal.timeout(endingMs)
  try {
    const target = { deployment, random, resetRun: () => resetRun(deployment, underway, random) }
    const enough = () => Object.values(faults).every((count) => count >= each)
    const torment = tormentUntil(() => enough() || signal.aborted, target, faults)
    const endings = await performAll({ seed, connection, underway, signal, enough })
    await torment
    say('quiet: looking at what is left')
    const verified = await verifyWhenQuiet(connection, state, say)
    const verdict = judge(
      endings,
      readWorld(
        state,
        endings.map(({ job }) => job),
      ),
    )
    const tookMs = Math.round(performance.now() - startedAt)
    return { ...verdict, faults, audit: verified, seed, tookMs }
  } finally {
    await connection.close()
    await deployment.stop()
  }
}

interface Work {
  readonly seed: number
  readonly connection: Connection
  readonly underway: Set<string>
  readonly signal: AbortSignal
  /** Every kind of fault had its share; until then there are always runs for it to meet. */
  readonly enough: () => boolean
}

async function performAll(work: Work): Promise<readonly Ending[]> {
  const endings: Ending[] = []
  let next = 0
  const lane = async () => {
    while (next < Number(values.runs) || !(work.enough() || work.signal.aborted)) {
      const job = drawJob(next, work.seed)
      next += 1
      work.underway.add(job.requestId)
      endings.push(await perform(job, work.connection, work.signal))
      work.underway.delete(job.requestId)
      if (endings.length % 10 === 0) say(`${endings.length} runs ended`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return endings
}

/** Faults in random order, each kind equally often. */
async function tormentUntil(
  isOver: () => boolean,
  target: Parameters<typeof inflict>[1],
  faults: Record<string, number>,
): Promise<void> {
  const lasting: Promise<void>[] = []
  let hand: FaultKind[] = []
  while (!isOver()) {
    if (hand.length === 0) {
      hand = shuffled(faultKinds, target.random)
      say(
        `faults so far: ${Object.entries(faults)
          .map(([kind, count]) => `${kind} ${count}`)
          .join(', ')}`,
      )
    }
    const kind = hand.pop() ?? 'kill-agent'
    const done = inflict(kind, target).then(
      (hit) => {
        if (hit) faults[kind] = (faults[kind] ?? 0) + 1
      },
      (error: unknown) => say(`${kind}: ${String(error)}`),
    )
    // Pauses go on beside the next faults; a full disk or another clock does not.
    if (kind.startsWith('pause-')) lasting.push(done)
    else await done
    await delay(betweenMs.least + target.random() * betweenMs.more)
  }
  await Promise.all(lasting)
}

async function resetRun(
  { deployment }: TestDeployment,
  underway: ReadonlySet<string>,
  random: () => number,
): Promise<boolean> {
  const ids = [...underway]
  const id = ids[Math.floor(random() * ids.length)]
  if (id === undefined) return false
  const { address, namespace } = deployment.temporal
  const temporal = programPath('temporal')
  const { status } = spawnSync(
    temporal,
    [
      ...['workflow', 'reset', '--workflow-id', id, '--type', 'FirstWorkflowTask'],
      ...['--reason', 'nemesis', '--address', address, '--namespace', namespace],
    ],
    { stdio: 'ignore' },
  )
  return status === 0
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

/** 0 <= x < 1; the same faults in the same order for the same seed. */
function createRandom(seed: number): () => number {
  let drawn = 0
  return () => {
    drawn += 1
    const digest = createHash('sha256').update(`${seed} ${drawn}`).digest()
    return digest.readUInt32BE(0) / 2 ** 32
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
