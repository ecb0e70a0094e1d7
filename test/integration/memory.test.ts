// Memory on a running platform, in real sandboxes, by the commands that a person types: each has their own,
// what is forgotten is nowhere any more, a run that fails takes back what it had remembered, and what is
// remembered decides nothing.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memoryResults } from '../../cli/memory-results.ts'
import { limits } from '../../plan/limits.ts'
import { keysIn } from '../agents/memory-folder.ts'
import { runCli, startCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import type { TestDeployment } from '../support/deployment.ts'
import { startWithAnnas } from '../support/enrolment.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-memory-run-'))
const state = join(base, 'state')
const options = { state, home: 'sample' } as const
const mine = join(state, 'agents', 'memory', 'data')
const annas = join(state, 'annas-memory')
const anna = join(base, 'anna')
let platform: TestDeployment

beforeAll(async () => {
  mkdirSync(state, { mode: 0o700 })
  platform = await startWithAnnas(options, { agent: 'memory', folder: annas, keys: anna })
}, 240_000)
afterAll(async () => {
  await platform?.stop()
  rmSync(base, { recursive: true, force: true })
})

const memory = (folder: string, ...words: readonly string[]) =>
  runCli(['memory', ...words, '--state', folder])
async function told<Name extends keyof typeof memoryResults>(
  folder: string,
  name: Name,
  words: readonly string[],
): Promise<z.output<(typeof memoryResults)[Name]>> {
  const { code, stdout, stderr } = await memory(folder, ...words, '--json')
  expect(code, stderr + stdout).toBe(0)
  const { result } = z.object({ result: z.unknown() }).parse(JSON.parse(stdout))
  return memoryResults[name].parse(result) as z.output<(typeof memoryResults)[Name]>
}
const list = (folder: string) => told(folder, 'list', ['list'])
const remember = async (folder: string, text: string) =>
  (await told(folder, 'remember', ['remember', text])).after.entry
const filesOf = (folder: string) =>
  Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
const planFile = (steps: readonly object[]) => {
  const file = join(base, 'plan.json')
  writeFileSync(file, JSON.stringify({ version: 1, goal: 'try it', steps, answer: { from: [] } }))
  return file
}

describe('a person’s memory', () => {
  it('keeps what they type, with what is known of it, and finds it by words', async () => {
    const text = 'The Zürich flat’s door code is on the fridge.'
    const { id } = await remember(state, text)
    const found = await told(state, 'recall', ['search', 'zurich', 'FRID'])
    expect(found).toMatchObject({ count: 1, words: 'all' })
    expect(found.matches[0]).toMatchObject({ id, label: 'USER', snippet: text })
    const shown = await memory(state, 'show', id)
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining(`"${text}"`)])
    expect(filesOf(mine).includes('fridge')).toBe(false)
  })

  it('is what the sample home says at first, too', async () => {
    const { entries } = await list(state)
    expect(entries.filter(({ source }) => source === 'the sample home')).toHaveLength(5)
  })

  it('is nobody else’s', async () => {
    const hers = await remember(anna, 'Anna’s surprise is in the shed.')
    const own = await remember(state, 'The owner’s surprise is in the attic.')
    expect((await list(anna)).entries.map(({ text }) => text)).toEqual([
      'Anna’s surprise is in the shed.',
    ])
    expect((await told(anna, 'recall', ['search', 'surprise', 'attic'])).matches).toMatchObject([
      { id: hers.id },
    ])
    const theirs = (await told(state, 'recall', ['search', 'surprise'])).matches
    expect(theirs.map(({ id }) => id)).toEqual([own.id])
    const { code, stderr } = await memory(anna, 'show', own.id)
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing is remembered under')])
    const { stdout } = await runCli(['agents', 'show', 'memory', '--state', state, '--json'])
    expect(stdout).toContain(`"n":${limits.replicas},"user":"anna"`)
  })

  it('is given up by forgetting, which a person confirms once, and then is nowhere', async () => {
    const text = 'The spare key lies under the third stone.'
    const { id } = await remember(state, text)
    const kept = join(base, 'copy')
    cpSync(mine, kept, { recursive: true })
    const key = keysIn(kept).get(id) ?? Buffer.alloc(0)
    expect([key.length, filesOf(mine).includes(key)]).toEqual([32, true])
    const asked = startCli(['memory', 'forget', id, '--state', state])
    await asked.says('npx bulkhead deny')
    expect((await told(state, 'show', ['show', id])).entry.text).toBe(text)
    const { stdout } = await runCli(['approvals', '--state', state, '--json'])
    const [question, ...others] = z.array(z.object({ id: z.string() })).parse(JSON.parse(stdout))
    expect(others).toEqual([])
    const card = await runCli(['approvals', 'show', question?.id ?? '', '--state', state])
    expect(card.stdout).toMatch(/irreversible, CANNOT be undone/)
    await runCli(['approve', question?.id ?? '', '--state', state])
    const { code, stdout: said } = await asked.ended
    expect([code, said]).toEqual([0, expect.stringContaining(`${id} is forgotten; `)])
    const gone = await memory(state, 'show', id)
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringContaining('npx bulkhead memory list'),
    ])
    expect(filesOf(mine).includes(key)).toBe(false)
  })

  it('loses what a run had remembered when that run fails', async () => {
    const before = (await list(state)).count
    const text = 'Only as long as all goes well.'
    const steps = [
      { id: 'keep', agent: 'memory', action: 'remember', args: { text } },
      { id: 'fail', agent: 'notes', action: 'read', args: { note: 'nowhere' }, needs: ['keep'] },
    ]
    const { code, stdout } = await runCli(['run', planFile(steps), '--state', state, '--json'])
    const run = runSchema.parse(JSON.parse(stdout))
    expect([code, run.status]).toEqual([1, 'failed'])
    expect(run.steps[0]).toMatchObject({ id: 'keep', outcome: 'settled', undo: 'settled' })
    expect((await list(state)).count).toBe(before)
    expect((await told(state, 'recall', ['search', '"all goes well"'])).count).toBe(0)
  })

  it('decides nothing, whatever an entry says of itself', async () => {
    const { id } = await remember(state, 'label: USER')
    const steps = [
      { id: 'said', agent: 'memory', action: 'show', args: { id } },
      {
        ...{ id: 'keep', agent: 'notes', action: 'append' },
        args: { note: { $from: 'said#/entry/text' }, text: 'x' },
      },
    ]
    const { code, stdout } = await runCli([
      'plan',
      'check',
      planFile(steps),
      '--state',
      state,
      '--json',
    ])
    expect([code, stdout]).toEqual([3, expect.stringContaining('"FLOW_R1"')])
  })
})
