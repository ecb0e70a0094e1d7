// The processes of one `agent check`, put together to one report. The agent's code runs in the first
// alone, under Node's permission model, with an empty environment, and in the last in a real sandbox; this
// process only reads what they say. Scratch folders are removed whatever happens.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import {
  type AgentReport,
  agentReportSchema,
  type CheckResult,
  type Finding,
  findingSchema,
} from '../agents/check/contract.ts'
import { projectRoot } from './config.ts'

export interface CheckWords {
  readonly seed: number
  /** Arguments drawn for each action. */
  readonly draws: number
}

/** Of the whole process; each call has the action's own time besides. */
const maxMs = 180_000
const run = promisify(execFile)
const findingsSchema = z.array(findingSchema)
const triedSchema = z.discriminatedUnion('ran', [
  z.object({ ran: z.literal(true), report: findingsSchema }),
  z.object({ ran: z.literal(false), missing: z.boolean(), message: z.string() }),
])

/** @param folder the agent's, with agent.ts and examples.ts */
export async function checkFolder(folder: string, words: CheckWords): Promise<AgentReport> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-check-')))
  try {
    const handled = await checkHandlers(folder, work, words)
    // What does not load, or ends its process, would only do so again.
    if (handled.findings.some(({ code }) => code === 'NOT_LOADED' || code === 'ENDED')) {
      return handled
    }
    const bundled = await checkBundle(folder, work)
    const boxed =
      bundled.length > 0
        ? { findings: [], skipped: 'there is no bundle to run' }
        : await checkSandbox(work, handled.findings)
    const findings = [...handled.findings, ...bundled, ...boxed.findings]
    return {
      agent: handled.agent,
      ok: findings.length === 0,
      checks: handled.checks.map((check) => withOthers(check, boxed.skipped)),
      findings,
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The last two checks are made here; the process of the others knows nothing of them. */
function withOthers(check: CheckResult, skipped: string | undefined): CheckResult {
  if (check.name === 'bundle') return { ...check, tried: 1 }
  if (check.name !== 'sandbox') return check
  return skipped === undefined ? { ...check, tried: 1 } : { ...check, skipped }
}

async function checkHandlers(
  folder: string,
  work: string,
  { seed, draws }: CheckWords,
): Promise<AgentReport> {
  const own = join(work, 'handlers')
  mkdirSync(own)
  const out = join(own, 'report.json')
  const main = join(projectRoot, 'agents', 'check', 'main.ts')
  // Packages may lie elsewhere and be linked.
  const packages = realpathSync(join(projectRoot, 'node_modules'))
  const readable = [projectRoot, packages, realpathSync(folder), work]
  const allowed = readable.map((path) => `--allow-fs-read=${path}`)
  const options = ['--scratch', join(own, 'scratch'), '--out', out]
  const bounds = ['--seed', String(seed), '--draws', String(draws)]
  const args = ['--permission', ...allowed, `--allow-fs-write=${own}`, main, folder]
  let end = 'it ended the process before its check was over'
  try {
    await run(process.execPath, [...args, ...options, ...bounds], { env: {}, timeout: maxMs })
  } catch (error) {
    const isLate = error instanceof Error && 'killed' in error && error.killed === true
    end = isLate ? `it was not done after ${maxMs / 1_000} s` : `${end}: ${lastLine(error)}`
  }
  return readReport(out) ?? endedReport(basename(folder), end)
}

/** Undefined where there is none, or none of that shape: the agent runs in the process that writes it. */
function readReport(file: string): AgentReport | undefined {
  try {
    return agentReportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

function endedReport(agent: string, message: string): AgentReport {
  const ended: Finding = { code: 'ENDED', action: '', message }
  return { agent, ok: false, checks: [{ name: 'confinement', tried: 1 }], findings: [ended] }
}

async function checkBundle(folder: string, work: string): Promise<readonly Finding[]> {
  const main = join(projectRoot, 'agents', 'check', 'bundle-main.ts')
  const { stdout } = await run(process.execPath, [main, folder, '--out', work], {
    env: {},
    timeout: maxMs,
  })
  return findingsSchema.parse(JSON.parse(stdout))
}

/** What is wrong inside and was not wrong outside: the sandbox is why. */
async function checkSandbox(
  work: string,
  known: readonly Finding[],
): Promise<{ readonly findings: readonly Finding[]; readonly skipped?: string }> {
  const main = join(projectRoot, 'supervisor', 'try-agent.ts')
  const { stdout } = await run(process.execPath, [main, join(work, 'check.mjs')], {
    timeout: maxMs,
  })
  const tried = triedSchema.parse(JSON.parse(stdout))
  if (!tried.ran) {
    if (tried.missing) return { findings: [], skipped: tried.message }
    return { findings: [{ code: 'SANDBOX', action: '', message: tried.message }] }
  }
  const isKnown = (inside: Finding) => known.some(({ action }) => action === inside.action)
  const findings = tried.report
    .filter((inside) => !isKnown(inside))
    .map(({ code, action, message }): Finding => {
      return { code: 'SANDBOX', action, message: `inside the sandbox: ${code}: ${message}` }
    })
  return { findings }
}

/** Of what the process said last; nothing of it is trusted, and it is shown without control characters. */
function lastLine(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return said.split('\n').at(-1)?.slice(0, 200) ?? ''
}
