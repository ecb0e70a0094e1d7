// The recipes of the project compile; names and files that are none are refused.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../../plan/policy.ts'
import { findRecipe, listRecipes, RecipeError } from '../../planner/recipes.ts'

describe('the recipes of the project', () => {
  const recipes = listRecipes()

  it('are there, by name', () => {
    expect(recipes.map(({ name }) => name)).toContain('morning-briefing')
  })

  it.each(recipes)('compile with their defaults: $name', ({ name, source }) => {
    const result = compileSource({ kind: 'recipe', source, inputs: {}, catalogue, decide })
    expect(result.ok ? [] : result.issues).toEqual([])
    expect(findRecipe(name)?.source).toBe(source)
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
