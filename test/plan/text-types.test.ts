// A template against the types of its values: a misspelt name is an issue, not an empty place in a
// note, also where it stands in a section.

import { describe, expect, it } from 'vitest'
import { type Fields, look, messages, planOf, refusals, write } from './house.ts'

const at = '/steps/1/args/text/$text'
/** A step that writes `template` over the parts of what `a` sees. */
const saying = (template: string, more: Fields = {}, first: Fields = {}) => {
  const parts = ['title', 'place', 'items', 'tags', 'range', 'shape', 'names', 'anything']
  const values = Object.fromEntries(parts.map((name) => [name, { $from: `a#/${name}` }]))
  const text = { $text: template, with: { ...values, ...more } }
  return planOf([look('a', first), write('b', { text })])
}
const answering = (template: string, first: Fields = {}) =>
  planOf([look('my-step', first)], { answer: { from: ['my-step'], template } })

describe('a text may use', () => {
  it.each([
    ['a text, or one that may be null', '{{title}} {{place}}'],
    ['what the items of a list have', '{{#items}}{{name}}{{/items}}'],
    ['an item that is a text', '{{#tags}}{{.}}{{/tags}}'],
    ['what an object has, by a dot or in a section', '{{range.from}}{{#range}}{{to}}{{/range}}'],
    ['an outer name in a section', '{{#items}}{{name}} {{title}}{{/items}}'],
    ['what some alternatives of a union have', '{{#shape}}{{kind}}{{a}}{{b}}{{/shape}}'],
    ['any name of a record', '{{names.x}}{{#names}}{{y}}{{/names}}'],
    ['what a value of any kind may have', '{{anything.x.y}}{{#anything}}{{z}}{{/anything}}'],
    ['a list to say that it is empty', '{{^items}}nothing{{/items}}'],
    ['a text to say that it is there', '{{#place}}({{place}}){{/place}}'],
  ])('%s', (_what, template) => {
    expect(messages(saying(template))).toBe('')
  })

  it('what a step has that may be skipped', () => {
    expect(
      messages(saying('{{title}}{{#items}}{{name}}{{/items}}', {}, { onError: 'continue' })),
    ).toBe('')
    expect(messages(answering('{{my_step.range.to}}', { onError: 'continue' }))).toBe('')
  })
})

describe('a text is refused with', () => {
  it.each([
    ['a name that the items lack', '{{#items}}{{nam}}{{/items}}', 'UNKNOWN_REFERENCE'],
    ['a name that an object lacks', '{{range.form}}', 'UNKNOWN_REFERENCE'],
    [
      'a section that an object lacks',
      '{{#range}}{{#form}}x{{/form}}{{/range}}',
      'UNKNOWN_REFERENCE',
    ],
    ['an index of a list', '{{items.name}}', 'UNKNOWN_REFERENCE'],
    ['a length', '{{#tags}}{{length}}{{/tags}}', 'UNKNOWN_REFERENCE'],
    ['a part of a text', '{{title.length}}', 'UNKNOWN_REFERENCE'],
    [
      'a name of the items where nothing repeats',
      '{{^items}}{{name}}{{/items}}',
      'UNKNOWN_REFERENCE',
    ],
    ['a list where text is wanted', '{{items}}', 'INVALID_ARGUMENT'],
    ['an object where text is wanted', '{{#items}}{{.}}{{/items}}', 'INVALID_ARGUMENT'],
  ])('%s', (_what, template, code) => {
    expect(refusals(saying(template))).toEqual([`${code} ${at}`])
  })

  it('a misspelt name, and what was probably meant', () => {
    expect(messages(saying('{{#items}}{{nme}}{{/items}}'))).toMatch(/nme.*did you mean name/)
    expect(messages(answering('{{my_step.titel}}'))).toMatch(/titel.*did you mean title/)
  })

  it('a list, and the section to write instead', () => {
    expect(messages(saying('{{tags}}'))).toContain('{{#tags}}')
  })

  it('each name once, and all of them', () => {
    expect(refusals(saying('{{x}}{{y}}{{x}}'))).toHaveLength(2)
  })

  it('the same in an answer', () => {
    expect(refusals(answering('{{my_step.titel}}'))).toEqual(['UNKNOWN_REFERENCE /answer/template'])
    expect(refusals(answering('{{my_step}}'))).toEqual(['INVALID_ARGUMENT /answer/template'])
  })
})
