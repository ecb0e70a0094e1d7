// Nothing that an agent can fail with is shown as a code alone: each has words and a command that exists.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { failureCodes } from '../../agents/protocol.ts'
import { agentWords, attemptWords, failureWords, wordsFor } from '../../cli/failure-words.ts'
import { runLines } from '../../cli/run-view.ts'
import { findRecipe } from '../../planner/recipes.ts'
import type { StepSummary } from '../../workflows/contract.ts'
import { runCli } from '../support/cli.ts'
import { shown } from './shown-run.ts'

const agents = [...catalogue.keys()]
const root = join(import.meta.dirname, '../../agents')

/** What the agent's code gives with the advice that a person decides; of shared code, of each that has it. */
function askedBy(agent: string): ReadonlySet<string> {
  const isDav = agent === 'calendar' || agent === 'reminders'
  const folders = isDav ? ['calendar', 'dav', 'reminders'] : [agent]
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => join(root, folder, file)),
  )
  const texts = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(file, 'utf8'))
  const found = texts.flatMap((text) => [...text.matchAll(/'([A-Z_]+)',\s*'ask'/g)])
  return new Set(found.map(([, code = '']) => code))
}

describe('a failure has words', () => {
  test.each(failureCodes)('whatever the agent: %s', (code) => {
    expect(Object.keys(failureWords)).toContain(code)
    for (const agent of agents) expect(wordsFor(agent, code)?.what).toMatch(/^\S.{10,}$/)
  })

  test.each(agents)('of its own, where a person decides: %s', (agent) => {
    const own = Object.keys(agentWords[agent] ?? {})
    expect(own).toEqual(expect.arrayContaining([...askedBy(agent)]))
  })

  it('and the search for those codes finds some', () => {
    expect(askedBy('calendar')).toEqual(new Set(['CONFLICT', 'TELLS_OTHERS']))
    expect(askedBy('finance')).toEqual(new Set(['CONFLICT', 'UNAVAILABLE']))
  })

  it('of agents and codes that there are', () => {
    expect(agents).toEqual(expect.arrayContaining(Object.keys(agentWords)))
    const codes: readonly string[] = failureCodes
    const own = Object.values(agentWords).flatMap((words) => Object.keys(words ?? {}))
    expect(codes).toEqual(expect.arrayContaining(own))
  })

  it.each(['__proto__', 'constructor', 'toString', 'NO_RESULT'])('and %s has none', (code) => {
    expect(wordsFor('calendar', code)).toBeUndefined()
    expect(wordsFor(code, 'CONFLICT')).toBe(failureWords['CONFLICT'])
  })
})

/** Each command is a process of its own, and the machine may have other things to do. */
const startsMs = 300_000

it('what is to be typed next are commands and recipes that there are', {
  timeout: startsMs,
}, async () => {
  const all = [failureWords, attemptWords, ...Object.values(agentWords)].flatMap((table) =>
    Object.values(table ?? {}),
  )
  const given = { requestId: 'r-1', recipe: 'week-ahead', step: 's', agent: 'calendar', code: 'X' }
  const nexts = all.flatMap((words) => words.next(given).split('   then   '))
  const commands = new Set<string>()
  for (const next of nexts) {
    const [, words = '', recipe] =
      /^npx bulkhead ((?:agents|audit) \w+|doctor|run)(?: ([a-z-]+))?/.exec(next) ?? []
    commands.add(words)
    if (words === 'run') expect(findRecipe(recipe ?? ''), next).toBeDefined()
  }
  expect(commands).toEqual(
    new Set(['agents connect', 'agents show', 'audit query', 'doctor', 'run']),
  )
  for (const command of commands) {
    const { code, stdout } = await runCli([...command.split(' '), '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining(`bulkhead ${command}`)])
  }
})

describe('a run that failed', () => {
  const step = (change: Partial<StepSummary>): StepSummary => ({
    id: 'moved',
    type: 'calendar.update',
    effect: 'write',
    outcome: 'failed',
    code: 'CONFLICT',
    attempts: 1,
    durationMs: 5,
    ...change,
  })

  it('says what happened and what to do, as text and in its document', () => {
    const run = shown('failed', step({}))
    expect(run.next).toEqual([
      {
        about: expect.stringContaining('moved failed, calendar.update: somebody else changed it'),
        next: 'npx bulkhead run sync-calendars   then   npx bulkhead run <the same plan>   with the same inputs',
      },
    ])
    expect(runLines(run).join('\n')).toContain('nothing was overwritten (CONFLICT)\n  next: npx')
  })

  it('says why an undo was refused', () => {
    const [advice] =
      shown('failed', step({ outcome: 'settled', undo: 'failed', undoCode: 'CONFLICT' })).next ?? []
    expect(advice?.about).toMatch(/^moved was not undone \(CONFLICT\).*somebody else changed it/)
  })

  it('and waits says what happened, and is tried again rather than begun anew', () => {
    const run = shown('held', step({}))
    expect(run.next?.[0]?.about).toMatch(
      /^moved failed, and the run waits: somebody else changed it/,
    )
    expect(run.next?.map(({ next }) => next)).toEqual([
      'npx bulkhead runs retry r-1 moved',
      'npx bulkhead runs give-up r-1',
    ])
  })

  it('says of a loop each code once', () => {
    const failed = (iteration: number, code: string) => ({
      iteration,
      outcome: 'failed' as const,
      code,
    })
    const loop = {
      total: 3,
      outcomes: { failed: 3 },
      failed: [failed(0, 'CONFLICT'), failed(1, 'NOT_FOUND'), failed(2, 'CONFLICT')],
    }
    const run = shown('completed', step({ code: 'CONFLICT', loop }))
    expect(run.next?.map(({ about }) => about.slice(-10))).toEqual(['(CONFLICT)', 'NOT_FOUND)'])
  })
})
