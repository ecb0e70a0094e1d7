// `node supervisor/try-agent.ts <check.mjs>`: runs a bundle that `agent check` has built once in a real
// sandbox, as an agent would be run, and says on standard output as JSON what it left, or why it could not
// be run. Without a deployment: no bus, no keys, no folder of a person's. Nothing is left behind.

import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SupervisorError } from './codes.ts'
import { readForeign } from './foreign-file.ts'
import { createLoneDriver, layOut, startLone } from './lone-sandbox.ts'

/** Every example of an agent runs before the sandbox says that it is ready. */
const startTimeoutMs = 120_000
/** A finding has one line, and each action each code once. */
const maxReportBytes = 512 * 1024
/** As root a sandbox is nobody in particular: it has no state to own. */
const nobody = 65_534

type Tried =
  | { readonly ran: true; readonly report: unknown }
  | { readonly ran: false; readonly missing: boolean; readonly message: string }

async function tryBundle(bundle: string): Promise<Tried> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-try-'))
  try {
    return { ran: true, report: await runOnce(bundle, folder) }
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error
    const next = error.next === undefined ? '' : `; ${error.next}`
    const missing = error.code === 'SANDBOX_MISSING'
    return { ran: false, missing, message: `${error.message}${next}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runOnce(bundle: string, folder: string): Promise<unknown> {
  const prefix = `bh-${basename(folder).slice(-6).toLowerCase()}-`
  const driver = createLoneDriver(join(folder, 'runc'), prefix)
  layOut(folder, bundle)
  const busSocket = join(folder, 'bus.sock')
  writeFileSync(busSocket, '')
  const user = ownerOf(folder)
  try {
    const name = `${prefix}try`
    const lone = { folder, busSocket, name, hostname: 'try', user, startTimeoutMs }
    const sandbox = await startLone(driver, lone)
    await sandbox.stop(2_000)
    return readReport(join(folder, 'ledger', 'report.json'))
  } finally {
    await driver.sweep()
  }
}

/** The agent could write there too: nothing of it is taken for what it says. */
function readReport(file: string): unknown {
  const text = readForeign(file, maxReportBytes)
  try {
    if (text !== undefined) return JSON.parse(text)
  } catch {
    // As good as none.
  }
  throw new SupervisorError('SANDBOX_FAILED', 'it left no report that can be read')
}

/** Gives the folder and what is in it to the sandbox's user. */
function ownerOf(folder: string): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0 }
  const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of ['', ...inside]) chownSync(join(folder, name), nobody, nobody)
  return { uid: nobody, gid: nobody }
}

const [bundle] = process.argv.slice(2)
if (bundle === undefined) throw new Error('the file of a bundle is wanted')
process.stdout.write(`${JSON.stringify(await tryBundle(bundle))}\n`)
