// From the bytes of a plan or recipe file to a proven shape. YAML 1.2 (and so JSON) without anything
// that could make two readers see two plans: no duplicate keys, aliases, anchors or tags. Every issue
// is collected, with a pointer into the file.

import { type Document, isAlias, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import type { Issue } from './issues.ts'
import { limits } from './limits.ts'
import { isObject } from './pointer.ts'
import type { Recipe, WrittenPlan } from './schema.ts'
import { recipeSchema, writtenPlanSchema } from './written.ts'

export type ParseResult =
  | { readonly ok: true; readonly plan: WrittenPlan; readonly recipe?: Recipe }
  | { readonly ok: false; readonly issues: readonly Issue[] }

const shape = (message: string, path = ''): Issue => ({ code: 'INVALID_SHAPE', path, message })

/** Parses a recipe (a plan with a name, phrases and inputs) or a plan file. Never throws. */
export function parseSource(kind: 'recipe' | 'plan', source: string): ParseResult {
  const read = readYaml(source)
  if (!read.ok) return read
  if (kind === 'plan') {
    const parsed = parseShape(writtenPlanSchema, read.value)
    return parsed.ok ? { ok: true, plan: parsed.value as WrittenPlan } : parsed
  }
  const parsed = parseShape(recipeSchema, read.value)
  if (!parsed.ok) return parsed
  const recipe = parsed.value as Recipe
  return { ok: true, recipe, plan: { ...recipe.plan, inputs: recipe.inputs } }
}

/** The same for a plan that is data already. */
export function parsePlan(value: unknown): ParseResult {
  const depth = depthIssue(value)
  if (depth !== undefined) return { ok: false, issues: [depth] }
  const parsed = parseShape(writtenPlanSchema, value)
  return parsed.ok ? { ok: true, plan: parsed.value as WrittenPlan } : parsed
}

type ReadResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly Issue[] }

function readYaml(source: string): ReadResult {
  if (Buffer.byteLength(source) > limits.planFileBytes) {
    return { ok: false, issues: [shape('the file is longer than 1 MiB')] }
  }
  const lines = new LineCounter()
  let document: Document
  try {
    document = parseDocument(source, {
      version: '1.2',
      schema: 'core',
      uniqueKeys: true,
      stringKeys: true,
      merge: false,
      lineCounter: lines,
      prettyErrors: false,
    })
  } catch {
    return { ok: false, issues: [shape('the file is not YAML')] }
  }
  const found = [...document.errors, ...document.warnings].map((error) => {
    const { line } = lines.linePos(error.pos[0])
    return shape(`line ${line}: ${error.message}`)
  })
  found.push(...forbiddenNodes(document, lines))
  if (found.length > 0) return { ok: false, issues: found.slice(0, 100) }
  const value: unknown = document.toJS({ maxAliasCount: 0 })
  const depth = depthIssue(value)
  return depth === undefined ? { ok: true, value } : { ok: false, issues: [depth] }
}

function forbiddenNodes(document: Document, lines: LineCounter): Issue[] {
  const issues: Issue[] = []
  visit(document, {
    Node(_key, node) {
      const range = node.range?.[0] ?? 0
      const at = `line ${lines.linePos(range).line}`
      if (isAlias(node)) issues.push(shape(`${at}: aliases are not supported`))
      else if (node.anchor !== undefined) issues.push(shape(`${at}: anchors are not supported`))
      else if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
        issues.push(shape(`${at}: tags are not supported`))
      }
    },
  })
  return issues
}

/** Deeper than any honest plan; found without recursion, because depth is what is in doubt. */
function depthIssue(value: unknown): Issue | undefined {
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.depth > limits.jsonDepth) {
      return { code: 'LIMIT', path: '', message: `nested deeper than ${limits.jsonDepth} levels` }
    }
    const children = Array.isArray(next.value)
      ? next.value
      : isObject(next.value)
        ? Object.values(next.value)
        : []
    for (const child of children) stack.push({ value: child, depth: next.depth + 1 })
  }
  return undefined
}

function parseShape(schema: z.ZodType, value: unknown): ReadResult {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, issues: parsed.error.issues.map(toIssue) }
}

function toIssue(issue: z.core.$ZodIssue): Issue {
  const path = toPointer(issue.path)
  const params = issue.code === 'custom' ? issue.params : undefined
  const code = params?.['issue'] === 'INVALID_NAME' ? 'INVALID_NAME' : 'INVALID_SHAPE'
  const limit = issue.code === 'too_big' && path === '/steps' ? 'LIMIT' : code
  return { code: limit, path, message: issue.message }
}

export function toPointer(path: readonly PropertyKey[]): string {
  return path
    .map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
}
