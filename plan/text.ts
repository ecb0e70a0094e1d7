// `$text`: Mustache variables and sections, nothing else. No partials, lambdas, other delimiters, or
// raw forms; only own properties are looked up; control characters are dropped from values. Bounded in
// bytes and in work, whatever the values are. The same renderer serves the dispatcher and the notary,
// so that both get the same bytes.

import Mustache from 'mustache'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import { limits } from './limits.ts'
import { isObject } from './pointer.ts'

/** A text that is not allowed, or texts and values that grow too large. */
export class TextError extends Error {
  override readonly name = 'TextError'
}

export type TextNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'name'; readonly path: readonly string[] }
  | {
      readonly type: 'section'
      readonly path: readonly string[]
      readonly inverted: boolean
      readonly nodes: readonly TextNode[]
    }

const namePattern = /^(?:\.|[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*)$/
const hostileNames = new Set(['__proto__', 'constructor', 'prototype'])
/** Characters of a tag. The parser's time is quadratic in the white space before a tag's end. */
const maxTag = 200
/**
 * Nodes rendered in one text: sections over long lists multiply without writing a byte. An honest
 * text writes at least a byte for every two.
 */
const maxNodes = 2 * limits.textBytes

/** @throws TextError naming what is not allowed */
export function parseText(template: string): readonly TextNode[] {
  if (template.length > limits.textBytes) throw new TextError('the text is longer than 64 KiB')
  checkTags(template)
  let tokens: unknown
  try {
    // A writer of its own: the shared one keeps every template that it ever saw.
    tokens = new Mustache.Writer().parse(template)
  } catch (cause) {
    throw new TextError(cause instanceof Error ? cause.message : 'not a template', { cause })
  }
  return toNodes(tokens, 0)
}

/** What must not reach the library's parser. */
function checkTags(template: string): void {
  for (let at = template.indexOf('{{'); at >= 0; at = template.indexOf('{{', at + 2)) {
    const tag = template.slice(at + 2, at + 2 + maxTag)
    if (!tag.includes('}}')) {
      throw new TextError(`a tag is not closed, or longer than ${maxTag} characters`)
    }
    // A changed delimiter would hide names from the checks below.
    if (tag.trimStart().startsWith('=')) throw new TextError('other delimiters are not supported')
  }
}

function toNodes(tokens: unknown, depth: number): readonly TextNode[] {
  if (!Array.isArray(tokens)) throw new TextError('not a template')
  if (depth > limits.jsonDepth) throw new TextError('sections are nested too deeply')
  return tokens.filter((token) => token[0] !== '!').map((token) => toNode(token, depth))
}

function toNode(token: readonly unknown[], depth: number): TextNode {
  const [type, value] = token
  const text = String(value)
  if (type === 'text') return { type, text }
  if (type === '&') throw new TextError('{{{raw}}} and {{&raw}} are not supported')
  if (type === '>') throw new TextError('partials are not supported')
  if (!namePattern.test(text)) throw new TextError(`${JSON.stringify(text)} is not a name`)
  const path = text === '.' ? [] : text.split('.')
  if (path.some((name) => hostileNames.has(name)))
    throw new TextError(`the name ${text} is refused`)
  if (type === 'name') return { type, path }
  if (type === '#' || type === '^') {
    return { type: 'section', path, inverted: type === '^', nodes: toNodes(token[4], depth + 1) }
  }
  throw new TextError(`the tag ${String(type)} is not supported`)
}

/**
 * @param view own properties only; strings and numbers are printed, arrays repeat a section
 * @throws TextError when the result is longer than `limits.textBytes`, or the way to it
 */
export function renderText(template: string, view: Readonly<Record<string, JsonValue>>): string {
  const parts: string[] = []
  let [length, rendered] = [0, 0]
  const output: Output = {
    write(text) {
      length += Buffer.byteLength(text)
      if (length > limits.textBytes) throw new TextError('the rendered text is longer than 64 KiB')
      parts.push(text)
    },
    count() {
      rendered += 1
      if (rendered > maxNodes) throw new TextError('the text repeats its sections too often')
    },
  }
  renderNodes(parseText(template), [view], output)
  return parts.join('')
}

interface Output {
  write(text: string): void
  count(): void
}

function renderNodes(
  nodes: readonly TextNode[],
  scopes: readonly JsonValue[],
  output: Output,
): void {
  output.count()
  for (const node of nodes) {
    output.count()
    if (node.type === 'text') output.write(node.text)
    else if (node.type === 'name') output.write(toText(lookUp(scopes, node.path)))
    else renderSection(node, scopes, output)
  }
}

function renderSection(
  node: Extract<TextNode, { type: 'section' }>,
  scopes: readonly JsonValue[],
  output: Output,
): void {
  const value = lookUp(scopes, node.path)
  // As Mustache has it in JavaScript: null, false, 0 and the empty text are nothing to repeat.
  const isEmpty = !value || (Array.isArray(value) && value.length === 0)
  if (node.inverted) {
    if (isEmpty) renderNodes(node.nodes, scopes, output)
  } else if (Array.isArray(value)) {
    for (const item of value) renderNodes(node.nodes, [...scopes, item], output)
  } else if (!isEmpty) {
    renderNodes(node.nodes, [...scopes, value], output)
  }
}

/** Mustache's rule: the first name is looked for from the innermost scope out, the rest inside it. */
function lookUp(scopes: readonly JsonValue[], path: readonly string[]): JsonValue {
  const [first, ...rest] = path
  if (first === undefined) return scopes.at(-1) ?? null
  for (const scope of scopes.toReversed()) {
    if (!isObject(scope) || !Object.hasOwn(scope, first)) continue
    let value = scope[first] as JsonValue
    for (const name of rest) {
      value =
        isObject(value) && Object.hasOwn(value, name) ? ((value[name] ?? null) as JsonValue) : null
    }
    return value
  }
  return null
}

function toText(value: JsonValue): string {
  if (value === null) return ''
  return withoutControls(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

export function withoutControls(text: string): string {
  // Tabs and line breaks stay; other control characters could fool a terminal or a parser.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

/**
 * Names that the template looks up in its outermost scope: the keys of `with` it may use. What stands
 * in a section may also be a name of the section's value, which is not known here.
 */
export function namesOf(nodes: readonly TextNode[]): readonly string[] {
  const names = new Set<string>()
  for (const node of nodes) {
    if (node.type === 'text') continue
    if (node.path[0] !== undefined) names.add(node.path[0])
    if (node.type === 'section' && node.inverted) {
      for (const name of namesOf(node.nodes)) names.add(name)
    }
  }
  return [...names]
}
