// A catalogue for the compiler's tests: one agent with an argument and a result of every kind, one
// that sends. And short ways to compile, and to say what was refused.

import { z } from 'zod'
import { type CompileContext, compilePlan, compileSource } from '../../plan/compile.ts'
import { createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { decide } from '../../plan/policy.ts'
import type { CompiledPlan } from '../../plan/schema.ts'

const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 5_000,
  maxResultBytes: 64 * 1024,
  summary: 'for tests',
} as const
const dryRun = z.boolean().default(false)

export const desk = defineManifest({
  name: 'desk',
  summary: 'for tests',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [],
  actions: {
    look: {
      ...common,
      effect: 'read',
      input: z.strictObject({
        day: z
          .string()
          .regex(/^\d{4}-\d{2}-\d{2}$/)
          .optional(),
        limit: z.number().int().min(1).max(100).default(10),
        tags: z.array(z.string().min(1)).min(1).max(3).optional(),
        mode: z.enum(['short', 'long']).optional(),
        range: z.strictObject({ from: z.string(), to: z.string() }).optional(),
        either: z.union([z.string(), z.number().int()]).optional(),
        names: z.record(z.string(), z.number()).optional(),
      }),
      output: z.strictObject({
        title: z.string(),
        place: z.string().nullable(),
        count: z.number().int(),
        weight: z.number(),
        mode: z.enum(['short', 'long']),
        items: z.array(z.strictObject({ name: z.string() })),
        tags: z.array(z.string()),
        range: z.strictObject({ from: z.string(), to: z.string() }),
        extra: z.string().optional(),
        names: z.record(z.string(), z.number()),
        either: z.union([z.string(), z.number().int()]),
        shape: z.union([
          z.strictObject({ kind: z.literal('a'), a: z.string() }),
          z.strictObject({ kind: z.literal('b'), b: z.number() }),
        ]),
        'odd/na~me': z.string(),
        anything: z.unknown(),
      }),
      roles: {
        '/day': 'control',
        '/limit': 'control',
        '/tags/*': 'content',
        '/mode': 'control',
        '/range/from': 'control',
        '/range/to': 'control',
        '/either': 'content',
        '/names/*': 'amount',
      },
      undo: 'none',
    },
    write: {
      ...common,
      effect: 'write',
      input: z
        .strictObject({
          text: z.string().min(1).max(200),
          count: z.number().int().optional(),
          least: z.number().optional(),
          place: z.string().nullable().optional(),
          dryRun,
        })
        .refine(({ count, least }) => (least ?? 0) <= (count ?? Infinity), 'least is above count'),
      output: z.strictObject({ entry: z.string() }),
      roles: {
        '/text': 'content',
        '/count': 'amount',
        '/least': 'amount',
        '/place': 'content',
        '/dryRun': 'control',
      },
      undo: { action: 'unwrite', args: { text: { $args: '/text' }, entry: { $idem: true } } },
    },
    unwrite: {
      ...common,
      effect: 'write',
      input: z.strictObject({ text: z.string(), entry: z.string(), dryRun }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/text': 'content', '/entry': 'opaque', '/dryRun': 'control' },
      undo: 'none',
    },
    stamp: {
      ...common,
      effect: 'write',
      input: z.strictObject({ dryRun }),
      output: z.strictObject({}),
      roles: { '/dryRun': 'control' },
      undo: 'none',
    },
    wipe: {
      ...common,
      effect: 'irreversible',
      input: z.strictObject({ dryRun }),
      output: z.strictObject({}),
      roles: { '/dryRun': 'control' },
      undo: 'none',
    },
  },
})

const post = defineManifest({
  ...desk,
  name: 'post',
  actions: {
    send: {
      ...common,
      effect: 'egress',
      audience: 'PUBLIC',
      input: z.strictObject({ text: z.string(), dryRun }),
      output: z.strictObject({}),
      roles: { '/text': 'content', '/dryRun': 'control' },
      undo: 'none',
    },
  },
})

export const house = createCatalogue([desk, post])

export const context: CompileContext = { inputs: {}, catalogue: house, decide }

export type Fields = Readonly<Record<string, unknown>>

export const look = (id: string, more: Fields = {}) => ({
  id,
  agent: 'desk',
  action: 'look',
  ...more,
})
export const write = (id: string, args: Fields, more: Fields = {}) => ({
  id,
  agent: 'desk',
  action: 'write',
  args,
  ...more,
})

export function planOf(steps: readonly unknown[], more: Fields = {}): Fields {
  return { version: 1, goal: 'a test', steps, answer: { from: [] }, ...more }
}

/** `CODE /path`, sorted as they came. */
export function refusals(plan: unknown, more: Partial<CompileContext> = {}): readonly string[] {
  const result = compilePlan(plan, { ...context, ...more })
  return result.ok ? [] : result.issues.map(({ code, path }) => `${code} ${path}`)
}

export function messages(plan: unknown, more: Partial<CompileContext> = {}): string {
  const result = compilePlan(plan, { ...context, ...more })
  return result.ok
    ? ''
    : result.issues.map(({ message, fix = '' }) => `${message} ${fix}`).join('\n')
}

export function compiled(plan: unknown, more: Partial<CompileContext> = {}): CompiledPlan {
  const result = compilePlan(plan, { ...context, ...more })
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result.plan
}

export function refusalsOf(source: string, kind: 'plan' | 'recipe' = 'plan'): readonly string[] {
  const result = compileSource({ ...context, kind, source })
  return result.ok ? [] : result.issues.map(({ code, path }) => `${code} ${path}`)
}
