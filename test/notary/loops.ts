// Loops against a notary: an honest worker that has one counted, runs its iterations and puts their
// results together, one call at a time, so that a test can change any of them.

import type { AuthorizeCall, SettleReply, Source } from '../../notary/contract.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { execute, type Happened, type Harness, type Run } from './harness.ts'
import { append, items, list } from './plans.ts'

/** A list, a write for each of its items, and what is built on all of them. */
export const looping = `
version: 1
goal: note each of them
steps:
  - { id: gather, agent: desk, action: list, args: { day: today } }
  - id: each
    agent: desk
    action: append
    forEach: { in: { $from: 'gather#/items' }, as: item, max: 3 }
    args: { note: daily, text: { $item: /title, as: item }, dryRun: false }
  - id: sum
    agent: desk
    action: append
    args:
      note: daily
      text: { $text: '{{#all}}{{entry}} {{/all}}', with: { all: { $from: 'each#' } } }
      dryRun: false
  - { id: after, agent: desk, action: append, needs: [each], args: { note: daily, text: z, dryRun: false } }
answer: { from: [each] }
`

/** Two of which one is enough, and what waits for either. */
export const eitherOf = `
version: 1
goal: whichever comes first
steps:
  - { id: one, agent: desk, action: list, args: { day: today }, onError: continue }
  - { id: two, agent: desk, action: list, args: { day: tomorrow }, onError: continue }
  - id: first
    agent: desk
    action: append
    join: any
    args:
      note: daily
      text: { $text: '{{a}}{{b}}', with: { a: { $from: 'one#/first' }, b: { $from: 'two#/first' } } }
      dryRun: false
  - { id: last, agent: desk, action: append, needs: [first], args: { note: daily, text: z, dryRun: false } }
answer: { from: [one] }
`

/** The same plan, with the loop's failures treated otherwise. */
export const loopingWith = (onError: 'continue' | 'hold', more = '') =>
  looping.replace('  - id: each\n', `  - id: each\n    onError: ${onError}\n${more}`)

export const conflict = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const

/** The code of a reply that has one, the status of any other. */
export async function codeOf(reply: Promise<{ readonly status: string }>): Promise<unknown> {
  const { status, ...rest } = await reply
  return 'code' in rest ? rest.code : status
}

export const oneTwo = items(['one', 'two'])

const addressOf = (run: Run, step: string, iteration = 0) => ({
  requestId: run.requestId,
  planDigest: run.digest,
  kind: 'do',
  step,
  iteration,
})

export function expand(
  harness: Harness,
  run: Run,
  { step = 'each', sources }: { readonly step?: string; readonly sources: readonly Source[] },
): Promise<SettleReply> {
  const call = { type: 'loop', ...addressOf(run, step), sources }
  return harness.notary.settle('worker', call)
}

export function gather(harness: Harness, run: Run, step = 'each'): Promise<SettleReply> {
  return harness.notary.settle('worker', { type: 'gather', ...addressOf(run, step) })
}

/** The first step settled with two items, and the loop counted. */
export async function expanded(harness: Harness, plan = looping, value: unknown = oneTwo) {
  const run = await harness.run(plan)
  const source = await run.perform('gather', list, value)
  const reply = await expand(harness, run, { sources: [source] })
  return { run, source, reply }
}

export interface Iteration {
  readonly iteration: number
  readonly text?: string
  readonly step?: string
  readonly happened?: Happened
  readonly change?: Partial<AuthorizeCall>
}

const texts = ['one', 'two', 'three']

/** Authorises, executes and settles one iteration; its result as it would lie in the store. */
export async function iterate(
  harness: Harness,
  { run, source }: { readonly run: Run; readonly source: Source },
  { iteration, step = 'each', happened, change, ...one }: Iteration,
): Promise<{ readonly hash: string; readonly content: string; readonly reply: SettleReply }> {
  const text = one.text ?? texts[iteration] ?? ''
  const asked = { iteration, sources: [source], ...change }
  const authorised = await run.token(step, append(text), asked)
  const done: Happened = happened ?? { status: 'DONE', value: { entry: `e-${text}` } }
  const documents = await execute(authorised, done, harness.keys.receipt)
  const reply = await run.settle(step, documents, { iteration, rerun: authorised.rerun })
  return { hash: documents.resultHash, content: documents.content, reply }
}

type Result = { readonly hash: string; readonly content: string } | null

/** The results as one document, as the worker puts them together. */
export function together(results: readonly Result[], step = 'each'): Source {
  const hash = digestOf(results.map((one) => one?.hash ?? null))
  const content = `[${results.map((one) => one?.content ?? 'null').join(',')}]`
  return { step, iteration: 0, hash, content }
}
