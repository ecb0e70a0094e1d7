// The same question as non-interference.test.ts, asked of a whole deployment: the calendar agent is a liar in
// its real sandbox, with its real runtime and keys, and each plan is run under two of them. What the notes
// agent wrote may differ only where the plan says that it is made of what the calendar said.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleProgram } from '../../agents/bundle.ts'
import { generateHome } from '../../examples/home/generate.ts'
import { printTable } from '../support/case-table.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { attackerFile, ways } from '../support/interference-words.ts'
import { writePlan } from '../support/plan-files.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-liar-'))
const state = join(base, 'state')
const rows: (readonly string[])[] = []
let deployment: TestDeployment

beforeAll(async () => {
  mkdirSync(state)
  const today = new Date().toISOString().slice(0, 10)
  await generateHome({ folder: state, today, timeZone: 'UTC', seed: 1, web: 'http://127.0.0.1:9' })
  const agents = ['calendar', 'notes']
  const settings = agents.map((agent) => `  ${agent}: { folder: agents/${agent}/data }`)
  writeFileSync(
    join(state, 'bulkhead.yaml'),
    ['timezone: UTC', 'agents:', ...settings, ''].join('\n'),
  )
  const bundle = join(base, 'liar.mjs')
  await bundleProgram(join(import.meta.dirname, '../support/lying-calendar-agent.ts'), bundle)
  setAttacker(0, 'lies')
  deployment = await startDeployment({ state, agents, bundles: { calendar: bundle } })
}, 240_000)
afterAll(async () => {
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
  printTable('one plan under two liars', ['plan', 'first', 'second', 'notes'], rows)
})

const notes = join(state, 'agents', 'notes', 'data')
function setAttacker(seed: number, way: string): void {
  writeFileSync(join(state, 'agents', 'calendar', 'data', attackerFile), `${seed} ${way}`)
}

/** What the notes say, without the marks of their entries, by name. */
function readNotes(): ReadonlyMap<string, string> {
  const files = readdirSync(notes).filter((name) => name.endsWith('.md'))
  return new Map(
    files.map((name) => [
      name.replace(/\.md$/, ''),
      readFileSync(join(notes, name), 'utf8').replaceAll(/<!--[^\n]*-->/g, ''),
    ]),
  )
}

const look = '  - { id: look, agent: calendar, action: list, args: { day: today } ONERROR }'
const append = (id: string, note: string, text: string, more = '') =>
  `  - { id: ${id}, agent: notes, action: append, args: { note: ${note}, text: ${text} }${more} }`
const said =
  '{ $text: "heard: {{#e}}{{summary}} at {{location}}; {{/e}}", with: { e: { $from: "look#/events" } } }'

interface Case {
  readonly name: string
  readonly steps: readonly string[]
  /** Notes that the plan makes of what the calendar said, by their text or by being there. */
  readonly made: readonly string[]
  readonly fixed: readonly string[]
}
const cases: readonly Case[] = [
  {
    name: 'beside',
    steps: [look, append('keep', 'fixed', 'kept')],
    ...{ made: [], fixed: ['fixed'] },
  },
  {
    name: 'made-of',
    steps: [
      look,
      append('hear', 'heard', said),
      append('keep', 'fixed', 'kept', ', needs: [hear]'),
    ],
    ...{ made: ['heard'], fixed: ['fixed'] },
  },
  {
    name: 'under-a-guard',
    steps: [
      look,
      append(
        'hear',
        'heard',
        'some',
        ', when: { cel: n > 1, with: { n: { $from: look#/count } } }',
      ),
      append('keep', 'fixed', 'kept'),
    ],
    ...{ made: ['heard'], fixed: ['fixed'] },
  },
  {
    name: 'for-each',
    steps: [
      look,
      append(
        'hear',
        'heard',
        '{ $text: "one: {{s}}", with: { s: { $item: /summary, as: e } } }',
        ', forEach: { in: { $from: look#/events }, as: e, max: 5 }',
      ),
      append('keep', 'fixed', 'kept'),
    ],
    ...{ made: ['heard'], fixed: ['fixed'] },
  },
]

interface Seen {
  readonly status: string
  readonly notes: ReadonlyMap<string, string>
}

async function run({ name, steps }: Case, seed: number, way: string): Promise<Seen> {
  for (const file of readdirSync(notes)) if (file.endsWith('.md')) rmSync(join(notes, file))
  setAttacker(seed, way)
  const lines = steps.map((step) => step.replace(' ONERROR', ', onError: continue, attempts: 2'))
  const plan = `steps:\n${lines.join('\n')}\nanswer: { from: [look] }\n`
  const file = writePlan(base, name, plan)
  const { stdout, stderr } = await runCli(['run', file, '--state', state, '--json'])
  if (stdout === '') throw new Error(stderr)
  const { status } = JSON.parse(stdout) as { status: string }
  return { status, notes: readNotes() }
}

/** Two liars who misbehave in different ways, for each plan twice. */
const pairs = cases.flatMap((one, at) =>
  [0, 1].map((round) => {
    const first = ways[(2 * at + round) % ways.length] ?? 'lies'
    return {
      ...one,
      round,
      first: round === 0 ? 'lies' : first,
      second: round === 0 ? first : 'lies',
    }
  }),
)

const seen: Seen[] = []

/** An agent that dies has to be started again, twice for one step. */
const patience = { timeout: 300_000 }

describe('a liar in the calendar’s sandbox', patience, () => {
  it.each(pairs)('changes nothing $name but what is made of it: $first, $second', async (one) => {
    const [left, right] = [
      await run(one, 10 * one.round + 1, one.first),
      await run(one, 10 * one.round + 2, one.second),
    ]
    seen.push(left, right)
    const told = [...left.notes, ...right.notes].map(
      ([name, text]) => `${name}: ${text.trim().length}`,
    )
    rows.push([
      one.name,
      `${one.first}: ${left.status}`,
      `${one.second}: ${right.status}`,
      told.join(', '),
    ])
    for (const { status, notes: written } of [left, right]) {
      expect(['completed', 'failed']).toContain(status)
      const wanted = new Set([...one.made, ...one.fixed])
      expect([...written.keys()].filter((name) => !wanted.has(name))).toEqual([])
      for (const name of one.fixed) {
        // A run that turned around has taken back what it did.
        if (status === 'completed') expect(written.get(name)?.trim()).toBe('kept')
        else expect(written.get(name)?.trim() ?? '').toBe('')
      }
      for (const text of written.values()) expect(text).not.toMatch(controls)
    }
  })

  it('was heard where it may be, and ended a run where it may', () => {
    const heard = new Set(seen.flatMap(({ notes: written }) => written.get('heard') ?? []))
    expect(heard.size).toBeGreaterThan(3)
    expect(seen.filter(({ status }) => status === 'completed').length).toBeGreaterThan(8)
  })

  it('leaves an audit that verifies, and everybody else at work', async () => {
    const verified = await runCli(['audit', 'verify', '--state', state])
    expect(verified.stderr + verified.stdout).not.toMatch(/bad|broken/i)
    expect(verified.code).toBe(0)
    const agents = await runCli(['agents', 'list', '--state', state, '--json'])
    expect(agents.stdout).toContain('notes')
  })
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
