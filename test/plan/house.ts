// A catalogue for the compiler's tests: one agent with an argument and a result of every kind, one
// that sends. And short ways to compile, and to say what was refused.

import { z } from 'zod'
import { type CompileContext, compilePlan, compileSource } from '../../plan/compile.ts'
import { createCatalogue, defineManifest } from '../../plan/manifest.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'
import { decide } from '../support/policy.ts'

const dryRun = z.boolean().default(false)

export const desk = defineManifest({
  ...plainAgent,
  name: 'desk',
  actions: {
    look: {
      ...plainAction,
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
      labels: { '/range': { readers: 'PUBLIC' } },
    },
    write: {
      ...plainAction,
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
        // Content, so that plans may take them from results: what decides may come from the user alone.
        '/count': 'content',
        '/least': 'content',
        '/place': 'content',
        '/dryRun': 'control',
      },
      undo: { action: 'unwrite', args: { text: { $args: '/text' }, entry: { $idem: true } } },
    },
    unwrite: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ text: z.string(), entry: z.string(), dryRun }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/text': 'content', '/entry': 'opaque', '/dryRun': 'control' },
    },
    mark: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ entry: z.string(), dryRun }),
      output: z.strictObject({}),
      roles: { '/entry': 'opaque', '/dryRun': 'control' },
      undo: { action: 'unwrite', args: { text: '', entry: { $args: '/entry' } } },
    },
    stamp: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ dryRun }),
      output: z.strictObject({}),
      roles: { '/dryRun': 'control' },
    },
    pay: {
      ...plainAction,
      effect: 'irreversible',
      touches: ['money'],
      input: z.strictObject({ dryRun }),
      output: z.strictObject({}),
      roles: { '/dryRun': 'control' },
    },
  },
})

const post = defineManifest({
  ...desk,
  name: 'post',
  actions: {
    send: {
      ...plainAction,
      effect: 'egress',
      audience: 'PUBLIC',
      input: z.strictObject({ text: z.string(), dryRun }),
      output: z.strictObject({}),
      roles: { '/text': 'content', '/dryRun': 'control' },
    },
  },
})

/** Asks one server, whose answers anybody may see. */
const web = defineManifest({
  ...desk,
  name: 'web',
  egress: [
    {
      id: 'site',
      host: 'site.example',
      port: 443,
      protocol: 'https',
      allow: [{ methods: ['GET'], path: '/pages/{page}', bind: { page: '/page' } }],
    },
  ],
  actions: {
    get: {
      ...plainAction,
      effect: 'egress',
      audience: { host: 'site' },
      egress: ['site'],
      input: z.strictObject({
        page: z.string(),
        lang: z.string().optional(),
        about: z.string().optional(),
      }),
      output: z.strictObject({ title: z.string(), links: z.array(z.string()) }),
      labels: { '': { readers: 'PUBLIC' } },
      roles: { '/page': 'control', '/lang': 'control', '/about': 'content' },
    },
    /** What it has kept of those answers; asks nobody. */
    recall: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({ about: z.string().optional() }),
      output: z.strictObject({ title: z.string(), about: z.string() }),
      labels: { '/title': { readers: 'PUBLIC' } },
      roles: { '/about': 'content' },
    },
  },
})

export const house = createCatalogue([desk, post, web])

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
