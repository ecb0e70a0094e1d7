// OPA for the commands that work on rules: built the first time (minutes, with progress on standard
// error), then kept for every clone of this user.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { BuildError, runOpa } from '../security/policy/build.ts'
import { projectRoot } from './config.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** @throws CommandError when it cannot be built; why was said on standard error */
export async function locateOpa(): Promise<string> {
  const child = spawn(process.execPath, [join(projectRoot, 'setup', 'opa.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let path = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    path += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return path.trim()
  throw new CommandError('OPA is not there and could not be built', {
    exitCode: exitCodes.failed,
    next: 'install Go, then once more',
  })
}

/** @throws CommandError with what OPA says against the rules */
export async function askOpa<T>(about: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    throw new CommandError(`${about} is refused: ${error.message}`, {
      exitCode: exitCodes.failed,
      next: `edit the rules, then: npx bulkhead policy check ${about}`,
      cause: error,
    })
  }
}

export interface TestedRules {
  readonly passed: number
  readonly failed: readonly string[]
  /** Percent of the lines of rules and tests that the tests ask. */
  readonly coverage: number
}

/** Runs the tests that lie beside the rules. @throws BuildError when they cannot be read */
export async function testRules(
  opa: string,
  folder: string,
  ignore: readonly string[] = [],
): Promise<TestedRules> {
  const left = ignore.flatMap((pattern) => ['--ignore', pattern])
  const results = await runOpa(opa, ['test', '--format', 'json', '--fail-on-empty', ...left, '.'], {
    folder,
  }).catch(readFailed)
  const tests = toTests(results)
  const failed = tests.filter(({ fail, error }) => fail === true || error !== undefined)
  if (failed.length > 0) return { ...summary(tests, failed), coverage: 0 }
  const covered = await runOpa(opa, ['test', '--coverage', ...left, '.'], { folder })
  return { ...summary(tests, failed), coverage: toCoverage(covered) }
}

interface OneTest {
  readonly name: string
  readonly fail?: boolean
  readonly error?: unknown
}

const summary = (tests: readonly OneTest[], failed: readonly OneTest[]) => ({
  passed: tests.length - failed.length,
  failed: failed.map(({ name }) => name),
})

/** OPA ends with an error when a test fails, and has said which on standard output. */
function readFailed(cause: unknown): string {
  const inner = cause instanceof BuildError ? cause.cause : undefined
  if (inner instanceof Error && 'stdout' in inner && String(inner.stdout).startsWith('[')) {
    return String(inner.stdout)
  }
  throw cause
}

function toTests(text: string): readonly OneTest[] {
  const tests: unknown = text.trim() === '' ? [] : JSON.parse(text)
  return Array.isArray(tests) ? (tests as readonly OneTest[]) : []
}

function toCoverage(text: string): number {
  const report: unknown = JSON.parse(text)
  const isReport = typeof report === 'object' && report !== null && 'coverage' in report
  return isReport && typeof report.coverage === 'number' ? report.coverage : 0
}
