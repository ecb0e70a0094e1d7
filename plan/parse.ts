// From the bytes of a plan or recipe file to a proven shape: read as YAML, then asked whether it is
// plain JSON, then held against the strict schema. Issues carry a pointer into the file.

import type { z } from 'zod'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import { createFindings, type Findings } from './findings.ts'
import type { Issue } from './issues.ts'
import { limits } from './limits.ts'
import { checkPlainValue } from './plain-value.ts'
import { toPointer } from './pointer.ts'
import { readYaml } from './read-yaml.ts'
import type { Recipe, WrittenPlan } from './schema.ts'
import { proposalSchema, recipeSchema, writtenPlanSchema } from './written.ts'

export type ParseResult =
  | { readonly ok: true; readonly plan: WrittenPlan; readonly recipe?: Recipe }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/** Parses a recipe (a plan with a name, phrases and inputs) or a plan file. Never throws. */
export function parseSource(kind: 'recipe' | 'plan', source: string): ParseResult {
  const findings = createFindings()
  const value = readYaml(source, findings)
  if (kind === 'plan') return parseValue(value, findings)
  const recipe = parseShape(recipeSchema, value, findings) as Recipe | undefined
  if (recipe === undefined) return { ok: false, issues: findings.issues }
  return { ok: true, recipe, plan: { ...recipe.plan, inputs: recipe.inputs } }
}

/** Parses the JSON text of a plan that a planner proposes. Never throws. */
export function parseProposal(source: string): ParseResult {
  const findings = createFindings()
  const value = readProposal(source, findings)
  const plan = parseShape(proposalSchema, value, findings) as WrittenPlan | undefined
  return plan === undefined ? { ok: false, issues: findings.issues } : { ok: true, plan }
}

/** One meaning or none: what the worker and the notary read must be the same plan. */
function readProposal(source: string, findings: Findings): unknown {
  const bounds = { maxBytes: limits.proposalBytes, maxDepth: limits.jsonDepth }
  try {
    return parseStrictJson(source, bounds)
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    const code = cause.code === 'TOO_LARGE' ? 'LIMIT' : 'INVALID_SHAPE'
    const message = `the proposal is no JSON that may be read: ${cause.code}`
    return findings.add({ code, path: '', message }) as undefined
  }
}

/** The same for a plan that is data already. */
export function parsePlan(value: unknown): ParseResult {
  return parseValue(value, createFindings())
}

function parseValue(value: unknown, findings: Findings): ParseResult {
  const plan = parseShape(writtenPlanSchema, value, findings) as WrittenPlan | undefined
  return plan === undefined ? { ok: false, issues: findings.issues } : { ok: true, plan }
}

/** Undefined when something was reported, be it before or here. */
function parseShape(schema: z.ZodType, value: unknown, findings: Findings): unknown {
  if (findings.issues.length === 0) checkPlainValue(value, findings)
  if (findings.issues.length > 0) return undefined
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) {
    if (findings.full) break
    findings.add(toIssue(issue))
  }
  return undefined
}

function toIssue(issue: z.core.$ZodIssue): Issue {
  const path = toPointer(issue.path)
  const { message } = issue
  if (issue.code === 'too_big' && issue.path.at(-1) === 'steps')
    return { code: 'LIMIT', path, message }
  // A name that is a key of a record is reported around the issue that it is.
  const inner = issue.code === 'invalid_key' ? issue.issues[0] : issue
  const params = inner?.code === 'custom' ? inner.params : undefined
  if (params?.['issue'] !== 'INVALID_NAME') return { code: 'INVALID_SHAPE', path, message }
  return { code: 'INVALID_NAME', path, message: inner?.message ?? message }
}
