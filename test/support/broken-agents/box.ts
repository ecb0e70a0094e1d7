// A small agent that is as it should be: a folder of texts that are put in, shown and taken back, and a
// server that is asked. Every agent of this folder is this one with one thing wrong.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { AgentExamples, ExampleWorld } from '../../../agents/check/examples-contract.ts'
import { type ActionContext, ActionFailure } from '../../../agents/define-agent.ts'
import { plainAction, plainAgent } from '../manifest-defaults.ts'

export const boxAt = '/data/box'
const name = z.string().regex(/^[a-z]{1,20}$/)
const text = z.string().max(200)
const dryRun = z.boolean().default(false)
const changed = z.strictObject({
  name: z.string(),
  before: z.string().nullable(),
  after: z.string(),
})

export const boxActions = {
  put: {
    ...plainAction,
    effect: 'write',
    input: z.strictObject({ name, text, dryRun }),
    output: changed,
    quotes: ['/before', '/after'],
    roles: { '/name': 'control', '/text': 'content', '/dryRun': 'control' },
    undo: { action: 'take', args: { name: { $args: '/name' }, before: { $result: '/before' } } },
  },
  take: {
    ...plainAction,
    effect: 'write',
    input: z.strictObject({ name, before: text.nullable() }),
    output: z.strictObject({ name: z.string() }),
    roles: { '/name': 'control', '/before': 'content' },
  },
  show: {
    ...plainAction,
    effect: 'read',
    input: z.strictObject({ name }),
    output: z.strictObject({ text: z.string() }),
    quotes: ['/text'],
    roles: { '/name': 'control' },
  },
  ask: {
    ...plainAction,
    effect: 'egress',
    audience: { host: 'words' },
    egress: ['words'],
    input: z.strictObject({ name }),
    output: z.strictObject({ answer: z.string() }),
    quotes: ['/answer'],
    roles: { '/name': 'control' },
  },
} as const

export function boxManifest<const Name extends string>(agent: Name) {
  return {
    ...plainAgent,
    name: agent,
    mounts: [{ from: { config: `${agent}.folder` }, at: boxAt, mode: 'rw' }],
    egress: [
      {
        id: 'words',
        host: 'words.example.org',
        port: 443,
        protocol: 'https',
        allow: [{ methods: ['GET'], path: '/words/{name}', bind: { name: '/name' } }],
      },
    ],
    actions: boxActions,
  } as const
}

const fileOf = (context: ActionContext, one: string) => join(context.folder(boxAt), one)
export const contentOf = (context: ActionContext, one: string): string | null =>
  existsSync(fileOf(context, one)) ? readFileSync(fileOf(context, one), 'utf8') : null
export const store = (context: ActionContext, one: string, content: string): void =>
  writeFileSync(fileOf(context, one), content)

/** Every text carries the effect that put it there, so that a repeated command finds its own. */
const marked = (content: string, { idem }: ActionContext) => `${content}\n${idem}`

export interface Put {
  readonly name: string
  readonly text: string
  readonly dryRun: boolean
}

export const boxHandlers = {
  put: async ({ name: one, text: content, dryRun: dry }: Put, context: ActionContext) => {
    const stored = contentOf(context, one)
    const after = marked(content, context)
    if (stored === after) {
      const kept = contentOf(context, `.${one}`)
      return { name: one, before: kept, after }
    }
    if (stored !== null && stored.length > 150) {
      throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'what is there is too long to be kept')
    }
    if (!dry) {
      if (stored === null) rmSync(fileOf(context, `.${one}`), { force: true })
      else store(context, `.${one}`, stored)
      store(context, one, after)
    }
    return { name: one, before: stored, after }
  },
  take: async (
    { name: one, before }: { readonly name: string; readonly before: string | null },
    context: ActionContext,
  ) => {
    rmSync(fileOf(context, `.${one}`), { force: true })
    if (before === null) rmSync(fileOf(context, one), { force: true })
    else store(context, one, before)
    return { name: one }
  },
  show: async ({ name: one }: { readonly name: string }, context: ActionContext) => {
    const content = contentOf(context, one)
    if (content === null) throw new ActionFailure('NOT_FOUND', 'final')
    return { text: content }
  },
  ask: async ({ name: one }: { readonly name: string }, context: ActionContext) => {
    const path = `/words/${one}`
    const { body } = await context.fetch({ egress: 'words', method: 'GET', path, maxBytes: 1_000 })
    return { answer: body }
  },
}

export const boxWorld: ExampleWorld = {
  name: 'box',
  now: '2026-11-21T08:00:00Z',
  folders: { [boxAt]: { old: 'there before' } },
  servers: () => ({ answer: ({ path }) => ({ status: 200, body: `of ${path}` }) }),
  calls: {
    put: [{ args: { name: 'old', text: 'a%20b' } }, { args: { name: 'new', text: 'c' } }],
    take: [{ args: { name: 'old', before: null } }],
    show: [{ args: { name: 'old' } }, { args: { name: 'nowhere' }, fails: 'NOT_FOUND' }],
    ask: [{ args: { name: 'old' } }],
  },
}

export const examples: AgentExamples = { worlds: [boxWorld] }

/** The examples with other calls of one action. */
export function examplesWith(calls: ExampleWorld['calls']): AgentExamples {
  return { worlds: [{ ...boxWorld, calls: { ...boxWorld.calls, ...calls } }] }
}
