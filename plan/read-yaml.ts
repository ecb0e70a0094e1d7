// YAML 1.2 (and so JSON) as one value, without anything that could make two readers see two plans:
// no duplicate keys, aliases, anchors, tags, merge keys, directives or second document. Hostile input
// is refused in time that grows with its length; what the library would do slower is done here.

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { Findings } from './findings.ts'
import { limits } from './limits.ts'
import { toPointer } from './pointer.ts'

/** The value that the text stands for; undefined when something was reported. */
export function readYaml(source: string, findings: Findings): unknown {
  const refuse = (message: string): undefined =>
    findings.add({ code: 'INVALID_SHAPE', path: '', message }) as undefined
  if (Buffer.byteLength(source) > limits.planFileBytes) {
    return refuse('the file is longer than 1 MiB')
  }
  const excess = excessOf(source)
  if (excess !== undefined) {
    return findings.add({ code: 'LIMIT', path: '', message: excess }) as undefined
  }
  const lines = new LineCounter()
  try {
    const document = parseDocument(source, {
      version: '1.2',
      schema: 'core',
      // Checked below: the library compares every key with every other.
      uniqueKeys: false,
      stringKeys: true,
      merge: false,
      lineCounter: lines,
      prettyErrors: false,
    })
    for (const error of [...document.errors, ...document.warnings]) {
      refuse(`line ${lines.linePos(error.pos[0]).line}: ${error.message}`)
    }
    checkDirectives(document, refuse)
    checkNodes(document, lines, findings)
    return findings.issues.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 })
  } catch {
    // Only a bug of the library, or input that exhausts its stack, comes here.
    return refuse('the file is not YAML that can be read')
  }
}

/** A plan of a thousand steps has some ten thousand; the parser needs microseconds for each. */
const maxTokens = 200_000

/**
 * What would keep the parser busy for too long: many tokens, or brackets, or list and key marks on
 * one line, that nest deeper than any plan and make it recurse. Nesting by indentation needs a line
 * a level, which the length of the file bounds.
 */
function excessOf(source: string): string | undefined {
  let [open, marks, tokens] = [0, 0, 0]
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') open += 1
    else if (token === ']' || token === '}') open = Math.max(0, open - 1)
    else if (token === '-' || token === '?') marks += 1
    else if (token.includes('\n')) marks = 0
    if (open > limits.jsonDepth || marks > limits.jsonDepth) {
      return `nested deeper than ${limits.jsonDepth} levels`
    }
    tokens += 1
    if (tokens > maxTokens) return `more than ${maxTokens} words, marks and lines`
  }
  return undefined
}

/** A `%YAML 1.1` or `%TAG` line changes what the rest of the file means. */
function checkDirectives({ directives }: Document, refuse: (message: string) => void): void {
  if (directives === undefined) return
  const tags = Object.keys(directives.tags).filter((handle) => handle !== '!!')
  if (directives.yaml.explicit === true || tags.length > 0) refuse('directives are not supported')
}

function checkNodes(document: Document, lines: LineCounter, findings: Findings): void {
  visit(document, {
    Node(_key, node, ancestors) {
      if (findings.full) return visit.BREAK
      const refusal = refusalOf(node)
      const path = () => pathOf([...ancestors, node])
      const line = (one: Node) => `line ${lines.linePos(one.range?.[0] ?? 0).line}`
      if (refusal !== undefined) {
        const message = `${line(node)}: ${refusal}`
        findings.add({ code: 'INVALID_SHAPE', path: path(), message })
      }
      if (!isMap(node)) return undefined
      for (const key of doubledKeys(node)) {
        const message = `${line(key)}: the key ${String(key)} is there twice`
        findings.add({ code: 'INVALID_SHAPE', path: path(), message })
      }
      return undefined
    },
  })
}

function refusalOf(node: Node): string | undefined {
  if (isAlias(node)) return 'aliases are not supported'
  if ('anchor' in node && node.anchor !== undefined) return 'anchors are not supported'
  // An untagged node has none here, whatever its value was read as.
  if (node.tag !== undefined) return 'tags are not supported'
  if (isMap(node) && node.items.some((pair) => keyOf(pair) === '<<')) {
    return 'merge keys are not supported'
  }
  return undefined
}

function doubledKeys(map: YAMLMap): readonly Node[] {
  const seen = new Set<string>()
  return map.items.flatMap((pair) => {
    const key = keyOf(pair)
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return isScalar(pair.key) ? [pair.key] : []
  })
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : ''
}

/** Where in the value a node stands, from the nodes around it. */
function pathOf(nodes: readonly unknown[]): string {
  const path = nodes.flatMap((node, index): (string | number)[] => {
    const next = nodes[index + 1]
    if (isPair(node)) return [keyOf(node)]
    return isSeq(node) && next !== undefined ? [node.items.indexOf(next)] : []
  })
  return toPointer(path)
}
