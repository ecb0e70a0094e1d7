// Plans of the notary's tests, as a person would write them.

import type { Harness } from './harness.ts'

/** A read, and writes built on it by text, by reference and under a guard. */
export const briefing = `
version: 1
goal: brief me
inputs: { note: { type: string } }
steps:
  - id: gather
    agent: desk
    action: list
    args: { day: today }
  - id: write
    agent: desk
    action: append
    args:
      note: { $input: note }
      text: { $text: '{{#items}}{{title}} {{/items}}', with: { items: { $from: 'gather#/items' } } }
      dryRun: false
  - id: long
    agent: desk
    action: append
    args:
      note: { $input: note }
      text:
        $text: '{{#items}}{{title}} {{title}} {{/items}}'
        with: { items: { $from: 'gather#/items' } }
      dryRun: false
  - id: named
    agent: desk
    action: append
    args: { note: { $from: 'gather#/first' }, text: '-', dryRun: false }
  - id: maybe
    agent: desk
    action: append
    args: { note: { $input: note }, text: many, dryRun: false }
    when: { cel: 'size(items) > 1', with: { items: { $from: 'gather#/items' } } }
answer: { from: [gather] }
`

/** Writes with undos, in a row, two attempts each. */
export const twoWrites = `
version: 1
goal: write twice
steps:
  - { id: read, agent: desk, action: list, args: { day: today } }
  - id: first
    agent: desk
    action: append
    args: { note: daily, text: a, dryRun: false }
    attempts: 2
  - id: second
    agent: desk
    action: append
    args: { note: daily, text: b, dryRun: false }
  - id: third
    agent: desk
    action: append
    args: { note: daily, text: c, dryRun: false }
  - id: after
    agent: desk
    action: append
    args: { note: daily, text: d, dryRun: false }
    needs: [first]
  - id: booked
    agent: desk
    action: book
    args: { room: blue, dryRun: false }
answer: { from: [read] }
`

/** A write that goes on without the read before it. */
export const softly = `
version: 1
goal: write anyway
steps:
  - { id: gather, agent: desk, action: list, args: { day: today }, onError: continue }
  - id: write
    agent: desk
    action: append
    args:
      note: daily
      text:
        $text: '{{#items}}{{title}} {{/items}}{{^items}}none{{/items}}'
        with: { items: { $from: 'gather#/items' } }
      dryRun: false
answer: { from: [gather] }
`

/** A write built on more than one authorisation may carry. */
export const heavy = `
version: 1
goal: read too much
steps:
${['a', 'b', 'c', 'd']
  .map((id) => `  - { id: ${id}, agent: desk, action: list, args: { day: today } }`)
  .join('\n')}
  - id: write
    agent: desk
    action: append
    args:
      note: daily
      text:
        $text: '{{a}}{{b}}{{c}}{{d}}'
        with:
          { a: { $from: 'a#/first' }, b: { $from: 'b#/first' }, c: { $from: 'c#/first' }, d: { $from: 'd#/first' } }
      dryRun: false
answer: { from: [a] }
`

/** Steps that hold the run when they fail, and one that builds on the first's result. */
export const holding = `
version: 1
goal: hold
steps:
  - { id: read, agent: desk, action: list, args: { day: today }, onError: hold }
  - id: first
    agent: desk
    action: append
    args: { note: daily, text: a, dryRun: false }
    onError: hold
    attempts: 1
  - id: named
    agent: desk
    action: append
    args:
      note: daily
      text: { $text: 'got {{e}}', with: { e: { $from: 'first#/entry' } } }
      dryRun: false
    onError: continue
  - id: told
    agent: desk
    action: append
    args: { note: daily, text: { $from: 'read#/first' }, dryRun: false }
  - id: last
    agent: desk
    action: append
    needs: [named, told]
    args: { note: daily, text: z, dryRun: false }
answer: { from: [read] }
`

/** A ring that must not be repeated, and can be asked about. */
export const ringing = `
version: 1
goal: ring
steps:
  - { id: ring, agent: bell, action: ring, args: { at: noon, dryRun: false } }
answer: { from: [ring] }
`

/** What no rule of ours lets through. */
export const erasing = `
version: 1
goal: erase
steps:
  - { id: erase, agent: desk, action: erase, args: { note: daily, dryRun: false } }
answer: { from: [erase] }
`

/** What is there, and an erasure for which an agent gives the reason: what is erased, the user says. */
export const gatherStep = '  - { id: gather, agent: desk, action: list, args: { day: today } }\n'
export const eraseForReason = (id: string, more = '') => `  - id: ${id}
    agent: desk
    action: erase
    args: { note: daily, reason: { $from: 'gather#/first' }, dryRun: false }
${more}`

/** A write and reads of a pool. */
export const pooled = `
version: 1
goal: look around
steps:
${Array.from(
  { length: 12 },
  (_, n) => `  - { id: look-${n}, agent: pool, action: look, args: { at: look-${n} } }`,
).join('\n')}
  - { id: drop, agent: pool, action: drop, args: { at: drop, dryRun: false } }
answer: { from: [look-0] }
`

export const items = (titles: readonly string[]) => ({
  first: titles[0] ?? '',
  items: titles.map((title) => ({ title })),
})

export const list = { day: 'today' }
export const append = (text: string) => ({ note: 'daily', text, dryRun: false })

/** The briefing with its first step settled. */
export async function gathered(harness: Harness, titles: readonly string[] = ['one', 'two']) {
  const run = await harness.run(briefing, { inputs: { note: 'daily' } })
  const source = await run.perform('gather', list, items(titles))
  return { run, source }
}
