// What goes wrong on a real machine, through the real command: a configuration with a slip in it, a
// port or a folder that somebody else has, Ctrl-C at a bad moment, a killed supervisor.
// Each time: a clear error with the next command, the documented exit code, nothing left running,
// nothing lost. Missing runc or Go: set-up.test.ts; a full disk: full-disk-running.test.ts.

import { execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type CliOptions, type CliProcess, runCli, startCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { findLeftovers } from '../support/deployment.ts'
import { until } from '../support/observer.ts'

const isRoot = process.getuid?.() === 0
const canMount = isRoot && process.platform === 'linux'
if (!isRoot) console.warn("skipped: somebody else's state folder (giving it away needs root)")

const base = mkdtempSync(join(tmpdir(), 'bulkhead-failures-'))
let counter = 0
/** A state folder that does not exist yet. */
const newState = () => join(base, `state-${counter++}`)

afterAll(() => {
  rmSync(base, { recursive: true, force: true })
})

/** A folder with calendars, notes and a bulkhead.yaml of the given text. */
function home(yaml: string): { readonly folder: string; readonly file: string } {
  const folder = join(base, `home-${counter++}`)
  for (const name of ['calendars', 'notes']) mkdirSync(join(folder, name), { recursive: true })
  const file = join(folder, 'bulkhead.yaml')
  writeFileSync(file, yaml)
  return { folder, file }
}

const agents = 'agents:\n  calendar: { folder: calendars }\n  notes: { folder: notes }\n'

const platforms: CliProcess[] = []
/** `start` on a state folder; ended with the test, however that ends. */
function startOn(state: string, options?: CliOptions): CliProcess {
  const platform = startCli(['start', '--state', state], options)
  platforms.push(platform)
  return platform
}
const isUp = 'Ctrl-C stops the platform'

afterEach(async () => {
  for (const { child, ended } of platforms.splice(0)) {
    if (child.exitCode === null) child.kill('SIGTERM')
    await ended
  }
})

async function run(state: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['run', ...args, '--state', state, '--json'])
  expect(code, stderr).toBe(0)
  return runSchema.parse(JSON.parse(stdout))
}

function supervisorOf(state: string): number {
  return JSON.parse(readFileSync(join(state, 'run', 'deployment.json'), 'utf8')).pid
}

describe('a broken bulkhead.yaml', () => {
  it.each<[string, string, RegExp]>([
    ['syntax', 'agents:\n  calendar: {folder: calendars\n', /bulkhead\.yaml:\d+: .*\(.+\)/],
    [
      'an unknown key',
      `port: { bus: 4222 }\n${agents}`,
      /yaml:1: port is not .*did you mean ports/,
    ],
    ['an unknown agent', 'agents:\n  calender: { folder: x }\n', /yaml:2: .*calendar\.folder/],
    ['a wrong type', `${agents}ports:\n  bus: many\n`, /yaml:5: ports\.bus: .*1 to 65535/],
    [
      'a missing folder',
      'agents:\n  notes:\n    folder: gone\n',
      /yaml:3: notes\.folder: .*gone is not/,
    ],
  ])('with %s is refused with line and hint, before anything is created', async (_, yaml, said) => {
    const { file } = home(yaml)
    const state = newState()
    const up = await runCli(['up', '--state', state, '--config', file])
    expect(up.stderr).toMatch(said)
    expect(up.stderr).toMatch(/next: .*(edit|mkdir)/)
    expect(up).toMatchObject({ code: 2, stdout: '' })
    expect(existsSync(state)).toBe(false)
    expect(readFileSync(file, 'utf8')).toBe(yaml)
  })

  it('that is not there is named', async () => {
    const state = newState()
    const up = await runCli(['up', '--state', state, '--config', join(base, 'absent.yaml')])
    expect(up.stderr).toMatch(/absent\.yaml cannot be read/)
    expect(up.stderr).toContain('next: npm start')
    expect(up.code).toBe(2)
    expect(existsSync(state)).toBe(false)
  })
})

describe('a port of the configuration', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  it.each(['bus', 'temporalUi'])(
    'that somebody has (%s) is named with its setting',
    async (name) => {
      server = createServer()
      const port = await new Promise<number>((resolve) => {
        server?.listen(0, '127.0.0.1', () => {
          const address = server?.address()
          resolve(typeof address === 'object' && address !== null ? address.port : 0)
        })
      })
      const { file } = home(`${agents}ports: { ${name}: ${port} }\n`)
      const state = newState()
      const up = await runCli(['up', '--state', state, '--config', file])
      expect(up.stderr).toContain(`port ${port} (ports.${name}) is taken`)
      expect(up.stderr).toMatch(new RegExp(`next: choose another ports.${name}.*ss -ltnp`))
      expect(up).toMatchObject({ code: 1, stdout: '' })
      expect(findLeftovers(state)).toEqual([])
      const doctor = await runCli(['doctor', '--state', state, '--config', file, '--json'])
      expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: false })
      expect(doctor.stdout).toContain(`ports.${name}`)
    },
  )
})

describe('a state folder', () => {
  it('that is a file, or lies below one, is refused', async () => {
    const { file } = home(agents)
    for (const state of [file, join(file, 'below')]) {
      const up = await runCli(['up', '--state', state, '--config', file])
      expect(up.stderr).toMatch(/STATE_UNUSABLE/)
      expect(up.stderr).toMatch(/next: choose another folder/)
      expect(up.code).toBe(1)
      const start = await runCli(['start', '--once', '--state', state])
      expect(start.stderr).toMatch(/cannot be written to/)
      expect(start.stderr).toContain('next: npm start -- --state')
      expect(start.code).toBe(1)
    }
  })

  it('that cannot be written is refused', async () => {
    const { file } = home(agents)
    const locked = newState()
    mkdirSync(locked, { mode: 0o500 })
    // Nothing holds root back but the file system itself.
    if (canMount) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', locked])
    const state = join(locked, 'state')
    try {
      for (const args of [
        ['up', '--config', file],
        ['start', '--once'],
      ]) {
        const { code, stderr } = await runCli([...args, '--state', state])
        expect(code).toBe(1)
        expect(stderr).toMatch(/cannot be (used|written)/)
        expect(stderr).toMatch(/next: (choose another folder|npm start -- --state)/)
        expect(stderr).not.toMatch(/^ {4}at /m)
      }
    } finally {
      if (canMount) execFileSync('umount', [locked])
    }
  })

  it.runIf(isRoot)('of somebody else is left as it is', async () => {
    const { file } = home(agents)
    const state = newState()
    mkdirSync(state, { mode: 0o700 })
    chownSync(state, 54_321, 54_321)
    for (const args of [
      ['up', '--config', file],
      ['start', '--once'],
    ]) {
      const { code, stderr } = await runCli([...args, '--state', state])
      expect(code).toBe(1)
      expect(stderr).toMatch(/next: /)
    }
    expect(execFileSync('ls', ['-A', state], { encoding: 'utf8' })).toBe('')
  })

  it('with somebody’s files in it gets no sample home', async () => {
    const state = newState()
    mkdirSync(state)
    writeFileSync(join(state, 'letter.txt'), 'dear')
    const { code, stderr } = await runCli(['start', '--once', '--state', state])
    expect(code).toBe(1)
    expect(stderr).toContain('something else is there')
    expect(execFileSync('ls', ['-A', state], { encoding: 'utf8' })).toBe('letter.txt\n')
  })
})

describe('two deployments side by side', () => {
  it('do not meet; one that is killed leaves nothing, is taken over, and has lost nothing', async () => {
    // One of them with a path that no socket could have.
    const long = join(base, 'long-'.repeat(30), 'state')
    const [a, b] = [newState(), long]
    const first = startOn(a)
    await first.says(isUp)
    const second = startOn(b)
    await second.says(isUp)

    const again = await runCli(['start', '--state', a, '--once'])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain(`process ${supervisorOf(a)}`)
    expect(again.stderr).toContain(`next: npx bulkhead down --state ${a}`)

    process.kill(supervisorOf(a), 'SIGKILL')
    const killed = await first.ended
    expect(killed.code).toBe(1)
    expect(killed.stderr).toMatch(/the supervisor ended by itself[\s\S]*next: /)
    await expect.poll(() => findLeftovers(a)).toEqual([])
    expect(existsSync(join(a, 'run', 'deployment.json'))).toBe(true)
    const verified = await runCli(['audit', 'verify', '--state', a, '--json'])
    expect(verified.code, verified.stderr).toBe(0)
    const status = await runCli(['status', '--state', a])
    expect(status).toMatchObject({ code: 1 })
    expect(status.stderr).toMatch(/not running[\s\S]*next: /)
    // Half written, as a crash of the machine can leave it: the next start replaces it.
    writeFileSync(join(a, 'run', 'deployment.json'), '{"version":')
    expect((await runCli(['status', '--state', a])).stderr).toMatch(/deployment file[\s\S]*next: /)

    expect((await run(b, 'morning-briefing')).audit.verified).toBe(true)
    const third = startOn(a)
    await third.says(isUp)
    for (const platform of [second, third]) platform.child.kill('SIGINT')
    for (const platform of [second, third]) expect((await platform.ended).code).toBe(0)
    expect((await third.ended).stdout).toMatch(/: completed\n[\s\S]*rows, verified/)
    for (const state of [a, b]) expect(findLeftovers(state)).toEqual([])
  })
})

describe('Ctrl-C in a terminal', () => {
  // A terminal gives it to every process of the job; the wrapper gives it to the command once more.
  const interrupt = (pid: number | undefined) => process.kill(-(pid ?? 0), 'SIGINT')

  it('leaves nothing while it starts and while it runs, and the run goes on the next time', async () => {
    const state = newState()
    const starting = startOn(state, { isJob: true })
    await until('servers are being started', () => existsSync(join(state, 'logs', 'temporal.log')))
    interrupt(starting.child.pid)
    const early = await starting.ended
    expect(early.stderr).toContain('stopped before it was done')
    expect(early).toMatchObject({ code: 130, stdout: '' })
    expect(findLeftovers(state)).toEqual([])

    const running = startOn(state, { isJob: true })
    await running.says('started\n')
    interrupt(running.child.pid)
    const late = await running.ended
    expect(late.code, late.stderr).toBe(130)
    // Once: a second one would end everything without draining.
    expect(late.stderr.split('stopping').length).toBe(2)
    expect(findLeftovers(state)).toEqual([])
    expect(existsSync(join(state, 'run', 'deployment.json'))).toBe(false)

    const next = startOn(state, { isJob: true })
    await next.says(isUp)
    const id = /run (morning-briefing-\S+) started/.exec(late.stderr)?.[1] ?? ''
    const watched = await runCli(['runs', 'watch', id, '--state', state, '--json'])
    expect(runSchema.parse(JSON.parse(watched.stdout))).toMatchObject({
      status: 'completed',
      audit: { verified: true },
    })
    interrupt(next.child.pid)
    expect((await next.ended).code).toBe(0)
    expect(findLeftovers(state)).toEqual([])
  })
})
