// The house in which every write is tried: the sample home in a real deployment, a real CalDAV server with a
// calendar and a list, the sample home's web server, a SimpleFIN server, and hledger. A plan is run by the
// command, as a person would. What a person has there is seen from outside: bytes of files, texts of the
// server.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { generateHome } from '../../examples/home/generate.ts'
import { type HomeServer, startHomeServer } from '../../examples/home/server.ts'
import { type CliResult, runCli, startCli } from './cli.ts'
import { runSchema } from './cli-shapes.ts'
import { startDeployment, type TestDeployment } from './deployment.ts'
import { startHouseModel } from './house-model.ts'
import type { Installed } from './installed.ts'
import { until } from './observer.ts'
import { credential, Radicale } from './radicale.ts'
import { startSimpleFin } from './simplefin.ts'
import { party, partyCalendar } from './write-invitation.ts'

export interface Step {
  readonly id: string
  readonly agent: string
  readonly action: string
  readonly args: object
  readonly needs?: readonly string[]
}

export interface Ran {
  readonly code: number
  readonly run: z.infer<typeof runSchema>
  /** Results of the steps that the answer is from. */
  readonly results: Readonly<Record<string, unknown>>
}

export interface WriteHouse {
  readonly state: string
  readonly web: HomeServer
  /** @param from steps whose results are wanted */
  plan(steps: readonly Step[], from?: readonly string[]): Promise<Ran>
  /** As `plan`, by a person who is asked, once, and approves. */
  approved(
    steps: readonly Step[],
    from?: readonly string[],
  ): Promise<Ran & { readonly card: string }>
  /** Writes it down, for commands that read a plan. */
  planFile(steps: readonly Step[]): string
  cli(...args: readonly string[]): ReturnType<typeof runCli>
  /** All that the agents' folders hold: path -> base64. */
  files(): Readonly<Record<string, string>>
  /** All that the CalDAV server has. */
  server(): Promise<string>
  stop(): Promise<void>
}

/** Collections of the server, as its copy names them. */
export const serverCalendar = 'Home'
export const serverList = 'Tasks'
const openSchema = z.array(z.object({ id: z.string() }))
/** A run is on its way to its question. */
const patienceMs = 120_000
const collections = ['/anna/home/', '/anna/tasks/']

export interface Programs {
  readonly radicale: Installed
  readonly hledger: Installed
}

export async function startWriteHouse({ radicale, hledger }: Programs): Promise<WriteHouse> {
  const dav = await Radicale.start(radicale)
  await dav.collection('/anna/home/', serverCalendar, 'VEVENT')
  await dav.collection('/anna/tasks/', serverList, 'VTODO')
  const [web, bank] = [await startHomeServer(), await startSimpleFin()]
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-writes-'))
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const today = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  const day = today.format(new Date())
  const parties = join(state, 'agents', 'calendar', 'data', `${partyCalendar}.ics`)
  await generateHome({ folder: state, today: day, timeZone, seed: 1, web: web.origin })
  writeFileSync(parties, party.text)
  await dav.send('PUT', '/anna/home/party.ics', { body: party.text })
  const remote = [`url: ${dav.origin}`, 'credential: env://BULKHEAD_TEST_CALDAV']
  const { port } = bank.address() as AddressInfo
  setMore(join(state, 'bulkhead.yaml'), {
    calendar: remote,
    reminders: remote,
    finance: [
      `hledger: ${hledger.command}`,
      `simplefin: http://127.0.0.1:${port}`,
      'simplefinAccess: env://BULKHEAD_TEST_SIMPLEFIN',
    ],
  })
  const model = await startHouseModel()
  setModel(join(state, 'bulkhead.yaml'), model.origin)
  const env = { BULKHEAD_TEST_CALDAV: credential, BULKHEAD_TEST_SIMPLEFIN: 'user:password' }
  const leave = async () => {
    await Promise.all([dav.stop(), web.close(), model.close()])
    await new Promise((done) => bank.close(done))
    rmSync(state, { recursive: true, force: true })
  }
  let deployment: TestDeployment
  try {
    deployment = await startDeployment({ state, env })
  } catch (error) {
    await leave()
    throw error
  }
  const cli = (...args: readonly string[]) => runCli([...args, '--state', state])
  const planFile = (steps: readonly Step[], from: readonly string[] = []) => {
    const file = join(state, 'plan.json')
    writeFileSync(file, JSON.stringify({ version: 1, goal: 'try it', steps, answer: { from } }))
    return file
  }
  return {
    state,
    web,
    cli,
    planFile,
    plan: async (steps, from = []) => ranOf(await cli('run', planFile(steps, from), '--json')),
    async approved(steps, from = []) {
      const args = ['run', planFile(steps, from), '--json', '--state', state]
      const running = startCli(args)
      const open = async () =>
        openSchema.parse(JSON.parse((await cli('approvals', '--json')).stdout))
      await until('a person is asked', async () => (await open()).length > 0, patienceMs)
      const [{ id } = { id: '' }] = await open()
      const { stdout: card } = await cli('approvals', 'show', id)
      const { code, stderr } = await cli('approve', id)
      if (code !== 0) throw new Error(stderr)
      return { ...ranOf(await running.ended), card }
    },
    files: () => filesBelow(join(state, 'agents')),
    server: async () => (await Promise.all(collections.map((path) => dav.text(path)))).join('\n'),
    async stop() {
      try {
        await deployment.stop()
      } finally {
        await leave()
      }
    },
  }
}

/** The sample home names no model. */
function setModel(file: string, origin: string): void {
  const agents = '\nagents:\n'
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(agents, `${agents}  model:\n    local: ${origin}\n`))
}

/** Below each agent's folder in the sample home's configuration. */
function setMore(file: string, settings: Readonly<Record<string, readonly string[]>>): void {
  let text = readFileSync(file, 'utf8')
  for (const [agent, lines] of Object.entries(settings)) {
    const folder = `    folder: agents/${agent}/data\n`
    text = text.replace(folder, folder + lines.map((line) => `    ${line}\n`).join(''))
  }
  writeFileSync(file, text)
}

function ranOf({ code, stdout, stderr }: CliResult): Ran {
  const parsed = runSchema.safeParse(stdout === '' ? undefined : JSON.parse(stdout))
  if (!parsed.success) throw new Error(`${code}: ${stderr}${stdout}`)
  return { code, run: parsed.data, results: resultsIn(parsed.data.answer) }
}

/** An answer without a template is one line a step: its id, and its result as JSON. */
function resultsIn(answer: string | null): Readonly<Record<string, unknown>> {
  const lines = (answer ?? '').split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), JSON.parse(line.slice(at + 2))]
    }),
  )
}

/** Of `data` and `exports` of each agent: what else lies there is the platform's. */
function filesBelow(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /^[^/]+\/(?:data|exports)\//.test(file.slice(folder.length + 1)))
    .sort()
    .map((file) => [file.slice(folder.length + 1), readFileSync(file).toString('base64')])
  return Object.fromEntries(entries)
}
