// Loops and start times as a person meets them, on a whole deployment. The outside world is a note in
// which every iteration leaves one line each time that it happens.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunDocument } from '../../cli/run-view.ts'
import { generateHome } from '../../examples/home/generate.ts'
import { fastTimeoutMs } from '../../plan/lane.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { processOf } from '../support/observer.ts'
import { writePlan } from '../support/plan-files.ts'

let deployment: TestDeployment
const base = mkdtempSync(join(tmpdir(), 'bulkhead-loops-'))
beforeAll(async () => {
  const state = join(base, 'state')
  mkdirSync(state)
  const today = new Date().toISOString().slice(0, 10)
  await generateHome({ folder: state, today, timeZone: 'UTC', seed: 1, web: 'http://127.0.0.1:9' })
  const agents = ['calendar', 'notes']
  const settings = agents.map((agent) => `  ${agent}: { folder: agents/${agent}/data }`)
  const lines = ['timezone: UTC', 'fastLane: true', 'agents:', ...settings, '']
  writeFileSync(join(state, 'bulkhead.yaml'), lines.join('\n'))
  deployment = await startDeployment({ state, agents })
}, 240_000)
afterAll(async () => {
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
})

const cli = (...args: readonly string[]) => runCli([...args, '--state', deployment.state])
const items = (count: number) => Array.from({ length: count }, (_, index) => `item-${index}`)

/** A loop that adds a line to the note of that name for each item. */
const appends = (note: string, count: number, more = '') => `
  - id: add
    agent: notes
    action: append
    forEach: { in: [${items(count).join(', ')}], as: item, max: ${count} }
    args: { note: ${note}, text: { $text: "{{x}}", with: { x: { $item: "", as: item } } } }
    ${more}`

/** To its end, or to where it waits. */
async function run(name: string, text: string): Promise<RunDocument> {
  const file = writePlan(base, name, text)
  const { stdout, stderr } = await cli('run', file, '--request-id', name, '--json')
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}
const watch = async (id: string): Promise<RunDocument> =>
  JSON.parse((await cli('runs', 'watch', id, '--json')).stdout)
const doneOf = (document: RunDocument | undefined) =>
  document?.steps.find(({ id }) => id === 'add')?.loop?.done ?? 0

/** The items that a note tells of, in their order, each as often as it is there. */
function linesOf(note: string): readonly string[] {
  const file = join(folderOf('notes.md', '.md'), `${note}.md`)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return (text.match(/^item-\d+$/gm) ?? []).toSorted(
    (one, other) => Number(one.slice(5)) - Number(other.slice(5)),
  )
}

/** Until so many are there: soon, where asking the platform would take as long as the loop. */
async function whenNoted(note: string, count: number): Promise<void> {
  while (linesOf(note).length < count) await delay(20)
}

function folderOf(name: string, ending = name): string {
  const found = readdirSync(deployment.state, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && (entry.name === name || entry.name.endsWith(ending)),
  )
  if (found === undefined) throw new Error(`the sample home has no ${name}`)
  return found.parentPath
}

/** Nothing more is begun before the command, which takes longer to start than many short steps. */
async function cancelStandingStill(id: string, thenMs = 0): Promise<void> {
  const { pid } = await processOf(deployment, 'worker')
  process.kill(pid ?? 0, 'SIGSTOP')
  try {
    expect((await cli('runs', 'cancel', id)).code).toBe(0)
    await delay(thenMs)
  } finally {
    process.kill(pid ?? 0, 'SIGCONT')
  }
}

describe('a loop', () => {
  it('acts once for each item, and what builds on it has the list of what that returned', async () => {
    const ended = await run(
      'loop-all',
      `steps:${appends('all', 60)}
  - id: sum
    agent: notes
    action: append
    args: { note: sum, text: { $text: "{{#all}}{{note}};{{/all}}", with: { all: { $from: "add#" } } } }
answer: { from: [sum] }
`,
    )
    expect(ended).toMatchObject({
      status: 'completed',
      steps: [
        { id: 'add', outcome: 'settled', loop: { total: 60, done: 60, outcomes: { settled: 60 } } },
        { id: 'sum', outcome: 'settled' },
      ],
      audit: { verified: true },
    })
    expect(linesOf('all')).toEqual(items(60))
    const sum = readFileSync(join(folderOf('notes.md', '.md'), 'sum.md'), 'utf8')
    expect(sum.match(/all;/g)).toHaveLength(60)
  })

  it('goes on where it was when its worker is killed, and does nothing twice', async () => {
    // Too many to be over before the worker is killed: the next test wants one that is there.
    const ended = run('killed', `steps:${appends('killed', 600)}\nanswer: { from: [add] }\n`)
    await whenNoted('killed', 20)
    const { pid } = await processOf(deployment, 'worker')
    process.kill(pid ?? 0, 'SIGKILL')
    expect(await ended).toMatchObject({ status: 'completed', steps: [{ loop: { done: 600 } }] })
    expect(linesOf('killed')).toEqual(items(600))
  })

  it('stops when its run is cancelled, and what it did is undone', async () => {
    const ended = run('cancelled', `steps:${appends('cancelled', 600)}\nanswer: { from: [add] }\n`)
    await whenNoted('cancelled', 20)
    await cancelStandingStill('cancelled')
    const document = await ended
    expect(document).toMatchObject({ status: 'cancelled', steps: [{ undo: 'settled' }] })
    expect(doneOf(document)).toBeLessThan(600)
    expect(linesOf('cancelled')).toEqual([])
  })

  it('is held by one item, and runs that one again when a person says so', async () => {
    const text = `steps:
  - id: read
    agent: calendar
    action: list
    onError: hold
    forEach: { in: [work, missing, family], as: name, max: 3 }
    args: { calendars: [{ $item: "", as: name }], day: today }
answer: { from: [read] }
`
    expect(await run('loop-held', text)).toMatchObject({
      status: 'held',
      steps: [
        {
          outcome: 'failed',
          code: 'NOT_FOUND',
          loop: { outcomes: { settled: 2, failed: 1 }, failed: [{ iteration: 1 }] },
        },
      ],
    })
    const one = await cli('runs', 'retry', 'loop-held', 'read:1')
    expect(one.code).toBe(2)
    expect(one.stderr).toContain('npx bulkhead runs retry loop-held read')
    const calendars = folderOf('work.ics')
    copyFileSync(join(calendars, 'work.ics'), join(calendars, 'missing.ics'))
    const retried = await cli('runs', 'retry', 'loop-held', '--json')
    expect(retried.code, retried.stderr).toBe(0)
    expect(JSON.parse(retried.stdout).reruns).toEqual([{ step: 'read', iteration: 1, rerun: 1 }])
    expect(await watch('loop-held')).toMatchObject({
      status: 'completed',
      steps: [{ outcome: 'settled', loop: { outcomes: { settled: 3 }, failed: [] } }],
    })
  })

  it('over more items than it may have ends before it acts on any', async () => {
    const text = `steps:${appends('many', 3).replace('max: 3', 'max: 2')}\nanswer: { from: [add] }\n`
    const file = writePlan(base, 'loop-limit', text)
    const { code, stdout, stderr } = await cli('run', file, '--request-id', 'loop-limit', '--json')
    expect(code).not.toBe(0)
    expect(`${stdout}${stderr}`).toContain('LIMIT')
    expect(linesOf('many')).toEqual([])
  })
})

describe('short steps', () => {
  it('are undone although their worker stood still for longer than a task may take', async () => {
    const steps = Array.from(
      { length: 60 },
      (_, at) => `
  - id: add-${at}
    agent: notes
    action: append
    timeoutMs: ${fastTimeoutMs}
    needs: [${at === 0 ? '' : `add-${at - 1}`}]
    args: { note: still, text: item-${at} }`,
    )
    const ended = run('still', `steps:${steps.join('')}\nanswer: { from: [add-0] }\n`)
    await whenNoted('still', 6)
    // A workflow task is given up, and begun again, after ten seconds.
    await cancelStandingStill('still', 12_000)
    expect((await ended).status).toBe('cancelled')
    expect(linesOf('still')).toEqual([])
  })
})

describe('a step with a time', () => {
  it('leaves the answer to the rest at once, and is done when its time has come', async () => {
    const at = new Date(Date.now() + 40_000).toISOString().slice(0, 19)
    const text = `steps:
  - { id: now, agent: notes, action: append, args: { note: timed, text: item-0 } }
  - id: later
    agent: notes
    action: append
    needs: [now]
    at: { local: "${at}", zone: UTC }
    args: { note: timed, text: item-1 }
answer: { from: [now] }
`
    const file = writePlan(base, 'timed', text)
    const { code, stdout } = await cli('run', file, '--request-id', 'timed', '--json')
    expect(code).toBe(0)
    const first: RunDocument = JSON.parse(stdout)
    expect(first).toMatchObject({
      status: 'scheduled',
      steps: [{ outcome: 'settled' }, { outcome: 'pending', at: Date.parse(`${at}Z`) }],
    })
    expect(first.answer).not.toBeNull()
    expect(linesOf('timed')).toEqual(['item-0'])
    expect(await watch('timed')).toMatchObject({
      status: 'completed',
      steps: [{}, { outcome: 'settled' }],
    })
    expect(linesOf('timed')).toEqual(['item-0', 'item-1'])
  })
})

describe('a step that joins any of its needs', () => {
  it('begins with the first that settles, and is skipped when none does', async () => {
    const read = (id: string, calendar: string) =>
      `  - { id: ${id}, agent: calendar, action: list, onError: continue, args: { calendars: [${calendar}], day: today } }`
    const text = `steps:
${read('nowhere', 'no-such')}
${read('here', 'work')}
  - { id: any, agent: notes, action: append, join: any, needs: [nowhere, here], args: { note: any, text: item-0 } }
  - { id: none, agent: notes, action: append, join: any, needs: [nowhere], args: { note: any, text: item-1 } }
answer: { from: [any] }
`
    expect(await run('joined', text)).toMatchObject({
      status: 'completed',
      steps: [
        { outcome: 'failed' },
        { outcome: 'settled' },
        { outcome: 'settled' },
        { outcome: 'skipped', code: 'NO_NEED' },
      ],
    })
    expect(linesOf('any')).toEqual(['item-0'])
  })
})

describe('the audit of all this', () => {
  it('adds up', async () => {
    const { code, stdout, stderr } = await cli('audit', 'verify')
    expect(code, `${stdout}${stderr}`).toBe(0)
  })
})
