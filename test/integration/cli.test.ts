// The command as a person and a script meet it: one deployment of the sample home, everything asked
// of it while it is up and again while it is down. Each `--json` answer is one document of the shape
// that interfaces promise; each mistake is told on standard error with its exit code.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { type CliProcess, runCli, startCli } from '../support/cli.ts'
import {
  agentSchema,
  checkSchema,
  doctorSchema,
  issuesSchema,
  recipesSchema,
  requestsSchema,
  rowsSchema,
  runSchema,
  statusSchema,
  verifySchema,
} from '../support/cli-shapes.ts'
import { findLeftovers } from '../support/deployment.ts'
import { appendStep, hostileCalendar, noteStep, writePlan } from '../support/plan-files.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-cli-'))
const state = join(base, 'state')
let platform: CliProcess
let briefing: string

const cli = (...args: readonly string[]) => runCli([...args, '--state', state])

/** Standard output as one document. */
async function json<T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, '--json')
  expect(code, stderr).toBe(0)
  return schema.parse(JSON.parse(stdout))
}

const planFile = (name: string, text: string) => writePlan(base, name, text)

function noteOf(name: string): string {
  const folder = join(state, 'agents', 'notes', 'data')
  return readdirSync(folder).includes(`${name}.md`)
    ? readFileSync(join(folder, `${name}.md`), 'utf8')
    : ''
}

const countOf = (needle: string, text: string) => text.split(needle).length - 1

async function notesAgent(): Promise<number> {
  const { processes } = await json(statusSchema, 'status')
  const pid = processes.find(({ name }) => name === 'agent notes.0')?.pid
  if (pid === undefined || pid === null) throw new Error('the notes agent does not run')
  return pid
}

/** A run of `plan` that waits in the middle, because its agent was stopped; `work` meanwhile. */
async function whileWaiting<T>(args: readonly string[], work: (run: CliProcess) => Promise<T>) {
  await json(
    runSchema,
    'run',
    planFile('warm-up', `steps:\n${appendStep('one', 'warm', 'up')}answer: { from: [one] }\n`),
  )
  const pid = await notesAgent()
  process.kill(pid, 'SIGSTOP')
  try {
    const run = startCli(['run', ...args, '--json', '--state', state])
    await run.says('running')
    return { run, result: await work(run) }
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

beforeAll(async () => {
  mkdirSync(base, { recursive: true })
  platform = startCli(['start', '--state', state])
  await platform.says('Ctrl-C stops the platform')
  briefing = (await json(requestsSchema, 'runs', 'list'))[0]?.requestId ?? ''
})

afterAll(async () => {
  if (platform.child.exitCode === null) platform.child.kill('SIGTERM')
  await platform.ended
  rmSync(base, { recursive: true, force: true })
})

describe('with the platform up', () => {
  it.each<[z.ZodType, ...string[]]>([
    [recipesSchema, 'recipes'],
    [checkSchema, 'plan', 'check', 'morning-briefing'],
    [z.looseObject({ steps: z.array(z.unknown()) }), 'plan', 'show', 'morning-briefing'],
    [requestsSchema, 'runs', 'list'],
    [runSchema, 'runs', 'show'],
    [runSchema, 'runs', 'watch'],
    [
      z.array(z.looseObject({ name: z.string(), state: z.string() })).length(catalogue.size),
      'agents',
      'list',
    ],
    [agentSchema, 'agents', 'show', 'calendar'],
    [statusSchema, 'status'],
    [doctorSchema, 'doctor'],
    [verifySchema, 'audit', 'verify'],
    [rowsSchema, 'audit', 'tail'],
    [rowsSchema, 'audit', 'query', '--kind', 'intent'],
  ])('answers with one document: %#', async (schema, ...args) => {
    await json(schema, ...args)
  })

  it('gives streams a line for each document', async () => {
    for (const args of [['tail', '--limit', '3', '--jsonl'], ['export']]) {
      const { code, stdout } = await cli('audit', ...args)
      expect(code).toBe(0)
      const lines = stdout.trimEnd().split('\n')
      expect(lines.length).toBeGreaterThanOrEqual(3)
      for (const line of lines) z.looseObject({}).parse(JSON.parse(line))
    }
  })

  it('ends in silence when its reader has seen enough', () => {
    const command = `${process.execPath} cli/main.ts audit export --state ${state} | head -c 20`
    const { stderr, stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
    expect(stdout.length).toBe(20)
    expect(stderr).not.toContain('EPIPE')
  })

  it.each<[RegExp, ...string[]]>([
    [/there is no agent calender \(did you mean calendar\?\)/, 'agents', 'show', 'calender'],
    [/there is no run nothing-like-it/, 'runs', 'show', 'nothing-like-it'],
    [/there is no run nothing-like-it/, 'runs', 'watch', 'nothing-like-it'],
    [/there is no run nothing-like-it/, 'runs', 'cancel', 'nothing-like-it'],
  ])('exits with 2 and says %s', async (pattern, ...args) => {
    const { code, stdout, stderr } = await cli(...args)
    expect(stderr).toMatch(pattern)
    expect(stderr).toContain('next: npx bulkhead')
    expect(code).toBe(2)
    expect(stdout).toBe('')
  })

  it('suggests the run that was meant', async () => {
    const { code, stderr } = await cli('runs', 'show', briefing.slice(0, -1))
    expect(code).toBe(2)
    expect(stderr).toContain(`did you mean ${briefing}?`)
  })

  it('lists every reason why a plan is refused, before anything runs', async () => {
    const file = planFile(
      'refused',
      'steps:\n  - { id: a, agent: calender, action: list }\n  - { id: a, agent: notes, action: appendd }\nanswer: { from: [b] }\n',
    )
    for (const args of [
      ['plan', 'check', file],
      ['run', file],
    ]) {
      const { code, stdout } = await cli(...args, '--json')
      expect(code).toBe(1)
      const refused = z
        .object({ ok: z.literal(false), issues: issuesSchema })
        .parse(JSON.parse(stdout))
      expect(
        refused.issues.map((issue) => issue.code).toSorted((a, b) => a.localeCompare(b)),
      ).toEqual(['DUPLICATE_ID', 'UNKNOWN_ACTION', 'UNKNOWN_AGENT', 'UNKNOWN_REFERENCE'])
    }
  })

  it('exits with 1 when a step fails, and has undone what was written', async () => {
    const file = planFile(
      'fails',
      `steps:\n${appendStep('write', 'undone', 'never-to-stay')}${noteStep('read', 'read', '{ note: no-such-note }', ', needs: [write]')}answer: { from: [read] }\n`,
    )
    const { code, stdout } = await cli('run', file, '--json')
    expect(code).toBe(1)
    const run = runSchema.parse(JSON.parse(stdout))
    expect(run).toMatchObject({
      status: 'failed',
      steps: [
        { id: 'write', outcome: 'settled', undo: 'settled' },
        { id: 'read', outcome: 'failed', code: 'NOT_FOUND' },
      ],
      audit: { verified: true },
    })
    expect(noteOf('undone')).not.toContain('never-to-stay')
    expect((await cli('runs', 'show', run.requestId)).code).toBe(1)
  })

  it('knows a request that is sent again, and refuses its id for anything else', async () => {
    const file = planFile(
      'once',
      `steps:\n${appendStep('one', 'once', 'just-once')}answer: { from: [one] }\n`,
    )
    const args = ['run', file, '--request-id', 'sent-twice']
    const first = await json(runSchema, ...args)
    const again = await json(runSchema, ...args)
    expect(again).toMatchObject({ runId: first.runId, answer: first.answer, status: 'completed' })
    expect(countOf('just-once', noteOf('once'))).toBe(1)
    const other = planFile(
      'once',
      `steps:\n${appendStep('one', 'once', 'other')}answer: { from: [one] }\n`,
    )
    const { code, stderr } = await cli('run', other, '--request-id', 'sent-twice')
    expect(code).toBe(1)
    expect(stderr).toContain('REQUEST_CONFLICT')
    expect(stderr).toContain('next: npx bulkhead runs show sent-twice')
    expect(await json(runSchema, 'runs', 'show', 'sent-twice')).toMatchObject({
      answer: first.answer,
    })
  })

  it('cancels a run that is under way: nothing more is launched, what was done is undone', async () => {
    const file = planFile(
      'long',
      `steps:\n${appendStep('one', 'long', 'first')}${appendStep('two', 'long', 'second', ', needs: [one]')}answer: { from: [two] }\n`,
    )
    const { run } = await whileWaiting([file, '--request-id', 'cancelled-1'], async () => {
      const shown = await json(runSchema, 'runs', 'show', 'cancelled-1')
      expect(shown.status).toBe('running')
      const cancelled = await json(z.looseObject({}), 'runs', 'cancel', 'cancelled-1')
      expect(cancelled).toEqual({ requestId: 'cancelled-1', cancelled: true })
    })
    const { code, stdout } = await run.ended
    expect(code).toBe(1)
    expect(runSchema.parse(JSON.parse(stdout))).toMatchObject({
      status: 'cancelled',
      steps: [{ id: 'one' }, { id: 'two', outcome: 'pending' }],
    })
    expect(noteOf('long')).not.toMatch(/first|second/)
  })

  it('leaves a run going on Ctrl-C, and returns to it', async () => {
    const file = planFile(
      'detached',
      `steps:\n${appendStep('one', 'detached', 'goes-on')}answer: { from: [one] }\n`,
    )
    const { run } = await whileWaiting([file, '--request-id', 'detached-1'], async (waiting) => {
      waiting.child.kill('SIGINT')
      await waiting.ended
    })
    const { code, stdout, stderr } = await run.ended
    expect(code).toBe(130)
    expect(stdout).toBe('')
    expect(stderr).toContain('npx bulkhead runs watch detached-1')
    expect(await json(runSchema, 'runs', 'watch', 'detached-1')).toMatchObject({
      status: 'completed',
      steps: [{ outcome: 'settled' }],
    })
    expect(countOf('goes-on', noteOf('detached'))).toBe(1)
  })

  it('does not let what it read drive the terminal', async () => {
    const hostile = '"\\e[2J\\e]0;owned\\a red \\x9b31m \\u202Etxt"'
    const file = planFile(
      'hostile',
      `steps:\n${appendStep('write', 'hostile', hostile)}${noteStep('read', 'read', '{ note: hostile }', ', needs: [write]')}answer: { from: [read], template: "{{read.text}}" }\n`,
    )
    const calendar = join(state, 'agents', 'calendar', 'data', 'hostile.ics')
    writeFileSync(calendar, hostileCalendar)
    const run = await cli('run', file)
    const shown = await cli('runs', 'show')
    const titles = await cli('run', 'morning-briefing', '--input', 'work=hostile')
    const document = await cli('runs', 'show', '--json')
    for (const { code, stdout, stderr } of [run, shown, titles, document]) {
      expect(code, stderr).toBe(0)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
    expect(run.stdout).toContain('owned')
    expect(titles.stdout).toContain('hostile title')
    rmSync(calendar)
  })

  it('stops with `down`, and leaves nothing running', async () => {
    expect(await json(z.looseObject({}), 'down')).toEqual({ down: true, state })
    expect((await platform.ended).code).toBe(0)
    expect(findLeftovers(state)).toEqual([])
  })
})

describe('with the platform down', () => {
  it.each([
    ['status'],
    ['down'],
    ['agents', 'list'],
    ['agents', 'show', 'notes'],
    ['run', 'morning-briefing'],
    ['runs', 'watch'],
    ['runs', 'cancel', 'detached-1'],
  ])('%s %s says that it is not running and what to type', async (...args) => {
    const { code, stdout, stderr } = await cli(...args, '--json')
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/not running/)
    expect(stderr).toMatch(/next: .*(npm start|bulkhead up)/)
  })

  it.each<[z.ZodType, ...string[]]>([
    [recipesSchema, 'recipes'],
    [checkSchema, 'plan', 'check', 'morning-briefing'],
    [requestsSchema, 'runs', 'list'],
    [verifySchema, 'audit', 'verify'],
    [rowsSchema, 'audit', 'tail'],
    [doctorSchema, 'doctor'],
  ])('still answers from what is on disk: %#', async (schema, ...args) => {
    await json(schema, ...args)
  })

  it('shows a run as the audit recorded it', async () => {
    const shown = await json(runSchema, 'runs', 'show', briefing)
    expect(shown).toMatchObject({
      requestId: briefing,
      status: 'completed',
      answer: null,
      audit: { verified: true },
    })
    for (const [id, exitCode, status] of [
      ['sent-twice', 0, 'completed'],
      ['cancelled-1', 1, 'cancelled'],
    ] as const) {
      const { code, stdout } = await cli('runs', 'show', id, '--json')
      expect(code).toBe(exitCode)
      expect(runSchema.parse(JSON.parse(stdout)).status).toBe(status)
    }
    expect((await cli('runs', 'show', 'never-was')).code).toBe(2)
  })

  it('says that nothing has run on a folder where nothing has', async () => {
    for (const args of [
      ['runs', 'list'],
      ['runs', 'show'],
      ['audit', 'verify'],
    ]) {
      const { code, stderr } = await runCli([...args, '--state', join(base, 'nothing')])
      expect(code).toBe(1)
      expect(stderr).toMatch(/nothing has run/)
      expect(stderr).toContain('next: npm start')
    }
  })
})
