// `$text`: Mustache variables and sections, nothing else. No partials, lambdas, other delimiters, or
// raw forms; only own properties are looked up; control characters are dropped from values. The same
// renderer serves the dispatcher and the notary, so that both get the same bytes.

import Mustache from 'mustache'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import { limits } from './limits.ts'
import { isObject } from './pointer.ts'

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

/** @throws TextError naming what is not allowed */
export function parseText(template: string): readonly TextNode[] {
  if (template.length > limits.textBytes) throw new TextError('the text is longer than 64 KiB')
  // A changed delimiter would hide names from the check below.
  if (/\{\{\s*=/.test(template)) throw new TextError('other delimiters are not supported')
  let tokens: unknown
  try {
    tokens = Mustache.parse(template)
  } catch (cause) {
    throw new TextError(cause instanceof Error ? cause.message : 'not a template', { cause })
  }
  return toNodes(tokens)
}

function toNodes(tokens: unknown): readonly TextNode[] {
  if (!Array.isArray(tokens)) throw new TextError('not a template')
  return tokens.filter((token) => token[0] !== '!').map(toNode)
}

function toNode(token: readonly unknown[]): TextNode {
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
    return { type: 'section', path, inverted: type === '^', nodes: toNodes(token[4]) }
  }
  throw new TextError(`the tag ${String(type)} is not supported`)
}

/**
 * @param view own properties only; strings and numbers are printed, arrays repeat a section
 * @throws TextError when the result is longer than `limits.textBytes`
 */
export function renderText(template: string, view: Readonly<Record<string, JsonValue>>): string {
  const parts: string[] = []
  let length = 0
  const write = (text: string): void => {
    length += Buffer.byteLength(text)
    if (length > limits.textBytes) throw new TextError('the rendered text is longer than 64 KiB')
    parts.push(text)
  }
  renderNodes(parseText(template), [view], write)
  return parts.join('')
}

function renderNodes(
  nodes: readonly TextNode[],
  scopes: readonly JsonValue[],
  write: (text: string) => void,
): void {
  for (const node of nodes) {
    if (node.type === 'text') write(node.text)
    else if (node.type === 'name') write(toText(lookUp(scopes, node.path)))
    else renderSection(node, scopes, write)
  }
}

function renderSection(
  node: Extract<TextNode, { type: 'section' }>,
  scopes: readonly JsonValue[],
  write: (text: string) => void,
): void {
  const value = lookUp(scopes, node.path)
  const isEmpty = value === null || value === false || (Array.isArray(value) && value.length === 0)
  if (node.inverted) {
    if (isEmpty) renderNodes(node.nodes, scopes, write)
  } else if (Array.isArray(value)) {
    for (const item of value) renderNodes(node.nodes, [...scopes, item], write)
  } else if (!isEmpty) {
    renderNodes(node.nodes, [...scopes, value], write)
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
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // Tabs and line breaks stay; other control characters could fool a terminal or a parser.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

/** Names that the template looks up in its outermost scope: the keys of `with` it may use. */
export function namesOf(nodes: readonly TextNode[]): readonly string[] {
  const names = new Set<string>()
  for (const node of nodes) {
    if (node.type !== 'text' && node.path[0] !== undefined) names.add(node.path[0])
  }
  return [...names]
}
