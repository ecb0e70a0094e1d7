// The recipes of the project compile; names and files that are none are refused.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileSource } from '../../plan/compile.ts'
import { parseSource } from '../../plan/parse.ts'
import { scheduleIdPattern } from '../../plan/schedule.ts'
import { suggestionWords } from '../../plan/suggested-schedule.ts'
import {
  agentsOf,
  findRecipe,
  listRecipes,
  RecipeError,
  type RecipeFile,
} from '../../planner/recipes.ts'
import { decide } from '../support/policy.ts'

describe('the recipes of the project', () => {
  const recipes = listRecipes()

  it('are there, by name', () => {
    expect(recipes.map(({ name }) => name)).toContain('morning-briefing')
  })

  /** What inputs without a default are given here. */
  const given = { string: 'sample', integer: 1, boolean: true, date: 'today' } as const
  /** Where not every text or day will do. */
  const named: Readonly<Record<string, string>> = {
    at: '2026-12-01T15:00',
    from: '2026-12-01',
    to: '2027-12-01',
  }
  const check = ({ source, inputs }: RecipeFile) => {
    const needed = Object.entries(inputs).filter(([, one]) => one.default === undefined)
    const sample = Object.fromEntries(
      needed.map(([name, { type }]) => [name, named[name] ?? given[type]]),
    )
    return compileSource({ kind: 'recipe', source, inputs: sample, catalogue, decide })
  }

  it.each(recipes)('compile under the default policy: $name', (recipe) => {
    const result = check(recipe)
    expect(result.ok ? [] : result.issues).toEqual([])
    expect(findRecipe(recipe.name)?.source).toBe(recipe.source)
  })

  /** Steps that a person is asked about before they run; a recipe that is not here asks nobody. */
  const asking: Readonly<Record<string, readonly string[]>> = {
    // One of the two, or neither. With guests each time; without, where somebody puts it on a schedule:
    // whether it happens is for the calendar to say.
    'move-event': ['rescheduled', 'moved'],
  }

  it.each(recipes)('ask a person about no more than is kept here: $name', (recipe) => {
    const result = check(recipe)
    if (!result.ok) throw new Error('refused')
    expect(result.report.approvals).toEqual(asking[recipe.name] ?? [])
  })

  it.each(recipes)('can be found by a phrase and by their agents: $name', (recipe) => {
    expect(recipe.phrases.length).toBeGreaterThan(0)
    expect(recipe.title).not.toBe('')
    for (const [agent, actions] of agentsOf(recipe)) {
      const known = Object.keys(catalogue.get(agent)?.actions ?? {})
      expect(known).toEqual(expect.arrayContaining([...actions]))
    }
  })

  it('have phrases that ask for one of them alone', () => {
    const phrases = recipes.flatMap((recipe) => recipe.phrases.map((one) => one.toLowerCase()))
    expect(phrases.filter((one, index) => phrases.indexOf(one) !== index)).toEqual([])
  })

  it('suggest times for what people want regularly, and for nothing else', () => {
    const suggested = recipes.flatMap(({ name, schedule }) =>
      schedule === undefined ? [] : [[name, suggestionWords(schedule)]],
    )
    expect(Object.fromEntries(suggested)).toEqual({
      'bill-reminders': 'mon at 08:15',
      'evening-review': 'every day at 21:00',
      'monthly-restore-drill': 'by the line of cron "0 4 1 * *"',
      'morning-briefing': 'every day at 07:30',
      'nightly-backup-check': 'every day at 03:30',
      'screen-time-limits': 'every day at 21:30',
      'sleep-and-activity': 'every day at 08:30',
      'sync-calendars': 'every 15m',
      'week-ahead': 'sun at 18:00',
      'weekly-spending': 'mon at 08:00',
    })
    // Its name is that of its schedule where nobody gives another.
    for (const [name] of suggested) expect(name).toMatch(scheduleIdPattern)
  })

  it('have no suggestion that `schedule add` would refuse', () => {
    const withSchedule = (schedule: string) =>
      parseSource(
        'recipe',
        `name: r\ntitle: t\nphrases: []\nschedule: ${schedule}\nplan: { version: 1, goal: g, steps: [{ id: a, agent: notes, action: list }], answer: { from: [] } }\n`,
      )
    expect(withSchedule('{ at: "07:30", days: mon-fri }').ok).toBe(true)
    for (const refused of [
      '{}',
      '{ at: "7:30" }',
      '{ days: mon }',
      '{ at: "07:30", every: 15m }',
      '{ cron: "0 4 1 * sun" }',
      '{ at: "07:30", zone: UTC }',
      '"07:30 daily"',
    ]) {
      expect(withSchedule(refused).ok, refused).toBe(false)
    }
  })

  it('read calendars, notes, weather and feeds side by side, then keep one note that can be undone', () => {
    const source = findRecipe('morning-briefing')?.source ?? ''
    const result = compileSource({ kind: 'recipe', source, inputs: {}, catalogue, decide })
    if (!result.ok) throw new Error('refused')
    expect(result.report.levels).toEqual([
      ['work', 'family', 'recent-notes', 'weather', 'news'],
      ['keep'],
    ])
    expect(result.plan.steps.at(-1)).toMatchObject({ effect: 'write', undo: { action: 'retract' } })
    const soft = result.plan.steps.filter(({ onError }) => onError === 'continue')
    expect(soft.map(({ effect }) => effect)).toEqual(['egress', 'egress'])
  })

  it.each([
    [{ work: '../family' }, '/plan/steps/0/args/calendars/0'],
    [{ day: '2026-02-30' }, '/inputs/day'],
    [{ evil: 'x' }, '/inputs/evil'],
  ])('refuse hostile inputs before anything runs: %j', (inputs: Record<string, string>, path) => {
    const source = findRecipe('morning-briefing')?.source ?? ''
    const result = compileSource({ kind: 'recipe', source, inputs, catalogue, decide })
    expect(result.ok ? [] : result.issues.map((issue) => issue.path)).toEqual([path])
  })

  it.each([
    '',
    '.',
    '..',
    '../recipes/morning-briefing',
    './morning-briefing',
    '/etc/passwd',
    'morning-briefing.yaml',
    'morning-briefing\u0000',
    'morning-briefing\n',
    'Morning-Briefing',
    '__proto__',
    'constructor',
    'nothing',
    `a${'b'.repeat(60)}`,
  ])('have none called %j', (name) => {
    expect(findRecipe(name)).toBeUndefined()
  })
})

describe('a folder of recipes', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recipes-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const recipe = (name: string) =>
    `name: ${name}\ntitle: t\nphrases: []\nplan: { version: 1, goal: g, steps: [{ id: a, agent: notes, action: list }], answer: { from: [] } }\n`
  const put = (file: string, text: string) => writeFileSync(join(folder, file), text)

  it('is listed in the order of names, without what is no recipe file', () => {
    put('b.yaml', recipe('b'))
    put('a.yaml', recipe('a'))
    put('notes.txt', 'hello')
    put('.hidden.yaml', recipe('hidden'))
    expect(listRecipes(folder).map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it.each([
    ['claims another name', 'a.yaml', recipe('b'), 'a'],
    ['is a plan', 'a.yaml', recipe('a').slice(recipe('a').indexOf('plan: ')), 'a'],
    ['is broken', 'a.yaml', '{', 'a'],
    ['has a key of a prototype', 'a.yaml', `${recipe('a')}__proto__: 1\n`, 'a'],
    ['is too long', 'a.yaml', `${recipe('a')}# ${'x'.repeat(1024 * 1024)}\n`, 'a'],
  ])('is refused when a file %s', (_, file, text, name) => {
    put(file, text)
    expect(() => listRecipes(folder)).toThrow(RecipeError)
    expect(() => findRecipe(name, folder)).toThrow(RecipeError)
  })

  it('is refused when a file has a name that no recipe could have', () => {
    put('A b.yaml', recipe('a'))
    expect(() => listRecipes(folder)).toThrow(RecipeError)
    expect(findRecipe('A b', folder)).toBeUndefined()
  })

  it('is refused when a folder stands where a file should', async () => {
    await mkdir(join(folder, 'a.yaml'))
    expect(() => listRecipes(folder)).toThrow(RecipeError)
  })
})
