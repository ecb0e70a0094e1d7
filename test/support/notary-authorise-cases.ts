// What may be asked for and what may happen: a case for each refusal that the notary gives to a step,
// with what it must come to. The steps are those of test/notary, here each against a notary
// of its own.

import { openEffect } from '../../notary/grant.ts'
import { idemOf } from '../../notary/locate.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { saltedHash } from '../../security/verify/hash.ts'
import type { Harness, Run } from '../notary/harness.ts'
import {
  append,
  briefing,
  erasing,
  heavy,
  holding,
  items,
  list,
  softly,
  twoWrites,
} from '../notary/plans.ts'
import { sent, toMyself } from './mail-to-oneself.ts'
import { afterTampering, type NotaryCase, notaryCase, outcomeOf } from './notary-case.ts'

const undo = { kind: 'undo' } as const
const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
const room = { room: 'blue', dryRun: false }

/** A write on what an allowed failure leaves open, and on a result that its action does not take. */
const forgotten = softly
  .replace('steps:\n', 'steps:\n  - { id: far, agent: desk, action: list, args: { day: today } }\n')
  .replace('note: daily', "note: { $from: 'far#/first' }")
/** A guard that compares a text with a number. */
const senseless = briefing.replace(
  "cel: 'size(items) > 1', with: { items: { $from: 'gather#/items' } }",
  "cel: 'first > 1.0', with: { first: { $from: 'gather#/first' } }",
)

const brief = (harness: Harness, source = briefing) =>
  harness.run(source, { inputs: { note: 'daily' } })

/** The briefing with its first step settled. */
async function gathered(harness: Harness, value: unknown = items(['one', 'two']), plan = briefing) {
  const run = await brief(harness, plan)
  return { run, source: await run.perform('gather', list, value) }
}

/** A step whose plan goes on, built on a first one that came to `happened`. */
async function named(harness: Harness, happened: Parameters<Run['break']>[2]) {
  const run = await harness.run(holding)
  await run.break('first', append('a'), happened)
  return outcomeOf(await run.authorize('named', append('got ')))
}

const titles = (count: number, title: string) => items(Array.from({ length: count }, () => title))
const twice = ({ items }: { items: readonly { title: string }[] }) =>
  items.map(({ title }) => `${title} ${title} `).join('')

const readiness: readonly NotaryCase[] = [
  notaryCase('AUTHORISED', 'the first step of a plan', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', list))
  }),
  notaryCase('UNKNOWN_REQUEST', 'a step of a request that nobody registered', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', list, { requestId: 'r-2' }))
  }),
  notaryCase('NOT_ADMITTED', 'a step before its plan was admitted', async (harness) => {
    const run = await harness.run(twoWrites, { admitted: false })
    return outcomeOf(await run.authorize('first', append('a')))
  }),
  notaryCase('NOT_ADMITTED', 'a step of another plan', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', list, { planDigest: 'A'.repeat(43) }))
  }),
  notaryCase('UNKNOWN_STEP', 'a step that the plan does not have', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('constructor', list))
  }),
  notaryCase('UNKNOWN_STEP', 'an iteration that there is not', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', list, { iteration: 1 }))
  }),
  notaryCase('UNKNOWN_STEP', 'the undo of a step that declares none', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', {}, undo))
  }),
  notaryCase('REQUEST_CANCELLED', 'a step after the person stopped the run', async (harness) => {
    const run = await harness.run(twoWrites)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    return outcomeOf(await run.authorize('first', append('a')))
  }),
  notaryCase('NEEDS_UNSETTLED', 'a step before one it takes nothing from', async (harness) => {
    const run = await harness.run(twoWrites)
    await run.token('first', append('a'))
    return outcomeOf(await run.authorize('after', append('d')))
  }),
  notaryCase('NEEDS_UNSETTLED', 'a skip before what its guard reads', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.skip('maybe'))
  }),
  notaryCase('NEEDS_UNSETTLED', 'a step on one whose outcome nobody knows', (harness) =>
    named(harness, { status: 'UNKNOWN' }),
  ),
  notaryCase('NEEDS_UNSETTLED', 'a step on one that failed and holds the run', (harness) =>
    named(harness, failed),
  ),
]

const guards: readonly NotaryCase[] = [
  notaryCase('GUARD_FALSE', 'a step whose guard is false', async (harness) => {
    const { run, source } = await gathered(harness, items(['one']))
    return outcomeOf(await run.authorize('maybe', append('many'), { sources: [source] }))
  }),
  notaryCase('GUARD_FALSE', 'a step whose guard makes no sense', async (harness) => {
    const { run, source } = await gathered(harness, items(['one']), senseless)
    return outcomeOf(await run.authorize('maybe', append('many'), { sources: [source] }))
  }),
  notaryCase('GUARD_TRUE', 'a skip of a step whose guard is true', async (harness) => {
    const { run, source } = await gathered(harness)
    return outcomeOf(await run.skip('maybe', [source]))
  }),
  notaryCase('GUARD_TRUE', 'a skip of a step that has no guard', async (harness) => {
    const { run, source } = await gathered(harness)
    return outcomeOf(await run.skip('write', [source]))
  }),
  notaryCase('GUARD_TRUE', 'a skip of an undo', async (harness) => {
    const { run, source } = await gathered(harness, items(['one']))
    const { args: _args, op: _op, ...call } = run.call('maybe', {}, { ...undo, sources: [source] })
    return outcomeOf(await harness.notary.settle('worker', { type: 'skip', ...call }))
  }),
  notaryCase('GUARD_TRUE', 'a skip of a step that has a token', async (harness) => {
    const { run, source } = await gathered(harness, items(['one']))
    const address = { request: 'r-1', kind: 'do', step: 'maybe', iteration: 0, rerun: 0 } as const
    await harness.store.commit('fact', ({ state }) => {
      const idem = idemOf(run.digest, address)
      state.putEffect({ ...openEffect, ...address, idem, attempts: 1 })
    })
    return outcomeOf(await run.skip('maybe', [source]))
  }),
]

const args: readonly NotaryCase[] = [
  notaryCase('ARGS_MISMATCH', 'other arguments than the plan has', async (harness) => {
    const run = await brief(harness)
    return outcomeOf(await run.authorize('gather', { day: 'tomorrow' }))
  }),
  notaryCase('ARGS_MISMATCH', 'other arguments than the results make', async (harness) => {
    const { run, source } = await gathered(harness)
    return outcomeOf(await run.authorize('write', append('evil '), { sources: [source] }))
  }),
  notaryCase('ARGS_MISMATCH', 'an undo of something else', async (harness) => {
    const run = await harness.run(twoWrites)
    const source = await run.perform('booked', room, { booking: 'b-1' })
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const asked = { ...undo, sources: [source] }
    return outcomeOf(await run.authorize('booked', { booking: 'b-2', dryRun: false }, asked))
  }),
  notaryCase('ARGS_MISMATCH', 'other arguments than the first attempt had', async (harness) => {
    const run = await harness.run(twoWrites)
    await run.token('first', append('a'))
    const sql = `UPDATE effect SET args_hash = '${'A'.repeat(43)}'`
    return afterTampering(harness, sql, async ({ notary }) =>
      outcomeOf(await notary.authorize('worker', run.call('first', append('a')))),
    )
  }),
  notaryCase('ARGS_INVALID', 'arguments that the action does not take', async (harness) => {
    const note = 'x'.repeat(50)
    const { run, source } = await gathered(harness, items([note]))
    const asked = { note, text: '-', dryRun: false }
    return outcomeOf(await run.authorize('named', asked, { sources: [source] }))
  }),
  notaryCase('NO_RESULT', 'a step on a result that nobody has', async (harness) => {
    const run = await harness.run(holding)
    await run.break('first', append('a'), { status: 'UNKNOWN' })
    const answer = { decision: 'happened', step: 'first', kind: 'do', requestId: 'r-1' }
    await harness.notary.recover('cli', answer)
    return outcomeOf(await run.authorize('named', append('got ')))
  }),
  notaryCase('NO_RESULT', 'an undo of what has no result', async (harness) => {
    const run = await harness.run(twoWrites)
    await run.break('booked', room, { status: 'UNKNOWN' })
    return outcomeOf(await run.authorize('booked', { booking: 'b-1', dryRun: false }, undo))
  }),
  notaryCase('NO_RESULT', 'arguments of a step that was allowed to fail', async (harness) => {
    const run = await harness.run(forgotten)
    const note = 'x'.repeat(50)
    const source = await run.perform('far', list, items([note]))
    await run.break('gather', list, failed)
    const asked = { note, text: 'none', dryRun: false }
    return outcomeOf(await run.authorize('write', asked, { sources: [source] }))
  }),
  notaryCase('LIMIT', 'arguments too large, quotes escaped', async (harness) => {
    const value = titles(20, '"'.repeat(1_500))
    const { run, source } = await gathered(harness, value)
    return outcomeOf(await run.authorize('long', append(twice(value)), { sources: [source] }))
  }),
  notaryCase('LIMIT', 'a text too long', async (harness) => {
    const value = titles(40, 'x'.repeat(1_500))
    const { run, source } = await gathered(harness, value)
    return outcomeOf(await run.authorize('long', append(twice(value)), { sources: [source] }))
  }),
  notaryCase('LIMIT', 'results too large together', async (harness) => {
    const run = await harness.run(heavy)
    const sources = []
    for (const id of ['a', 'b', 'c', 'd']) {
      const value = { first: '', items: [{ title: id.repeat(450_000) }] }
      sources.push(await run.perform(id, list, value))
    }
    return outcomeOf(await run.authorize('write', append(''), { sources }))
  }),
]

const sources: readonly NotaryCase[] = [
  notaryCase('SOURCE_MISSING', 'a step that does not name what it builds on', async (harness) => {
    const { run } = await gathered(harness)
    return outcomeOf(await run.authorize('write', append('')))
  }),
  notaryCase(
    'SOURCE_MISSING',
    'a skip that does not name what its guard reads',
    async (harness) => {
      const { run } = await gathered(harness)
      return outcomeOf(await run.skip('maybe'))
    },
  ),
  notaryCase('SOURCE_MISMATCH', 'another hash', async (harness) => {
    const { run, source } = await gathered(harness)
    const hash = saltedHash('AAAA', source.content ?? '')
    const forged = [{ ...source, hash }]
    return outcomeOf(await run.authorize('write', append('one two '), { sources: forged }))
  }),
  notaryCase('SOURCE_MISMATCH', 'another content', async (harness) => {
    const { run, source } = await gathered(harness)
    const forged = [{ ...source, content: canonicalJson(items(['evil'])) }]
    return outcomeOf(await run.authorize('write', append('evil '), { sources: forged }))
  }),
  notaryCase('SOURCE_MISMATCH', 'a result of a step that has none', async (harness) => {
    const run = await harness.run(softly)
    await run.break('gather', list, failed)
    const forged = [{ step: 'gather', iteration: 0, hash: 'A'.repeat(43), content: '{}' }]
    return outcomeOf(await run.authorize('write', append('none'), { sources: forged }))
  }),
  ...[
    ['bytes that are not canonical', '{"first": "","items":[]}'],
    ['bytes that are not JSON', 'items'],
    ['a result that the action does not return', '{"first":"","items":[],"more":1}'],
  ].map(([name = '', bytes]) =>
    notaryCase('SOURCE_MISMATCH', name, async (harness) => {
      const { run, source } = await gathered(harness, bytes)
      return outcomeOf(await run.authorize('write', append(''), { sources: [source] }))
    }),
  ),
]

const policy: readonly NotaryCase[] = [
  notaryCase('POLICY', 'a step that no rule allows any more', async (harness, law) => {
    const run = await harness.run(twoWrites)
    law.forbidden = true
    return outcomeOf(await run.authorize('first', append('a')))
  }),
  notaryCase('POLICY', 'a plan that no rule allows any more', async (harness, law) => {
    const { requestId, plan } = await harness.run(twoWrites, { admitted: false })
    law.forbidden = true
    return outcomeOf(await harness.notary.admit('worker', { requestId, plan }))
  }),
  {
    ...notaryCase('POLICY', 'what cannot be undone, though a rule allows it', async (harness) => {
      const { requestId, plan } = await harness.run(erasing, { admitted: false })
      return outcomeOf(await harness.notary.admit('worker', { requestId, plan }))
    }),
    lawless: true,
  },
]

/** What only the owner may see, sent to an address of the owner's own. */
const flow: readonly NotaryCase[] = [
  {
    ...notaryCase('AUTHORISED', 'a mail to an own address', async (harness) => {
      await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
      const run = await harness.run(toMyself)
      const sources = [await run.perform('gather', list, items([]))]
      return outcomeOf(await run.authorize('send', sent, { sources }))
    }),
    lawless: true,
  },
  {
    ...notaryCase('FLOW', 'a plan that was sound when it was registered', async (harness, law) => {
      const { requestId, plan } = await harness.run(toMyself, { admitted: false })
      law.own.length = 0
      return outcomeOf(await harness.notary.admit('worker', { requestId, plan }))
    }),
    lawless: true,
  },
  {
    ...notaryCase('FLOW', 'a step that was sound when it was admitted', async (harness, law) => {
      await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
      const run = await harness.run(toMyself)
      const sources = [await run.perform('gather', list, items([]))]
      law.own.length = 0
      return outcomeOf(await run.authorize('send', sent, { sources }))
    }),
    lawless: true,
  },
]

export const authoriseCases = [...readiness, ...guards, ...args, ...sources, ...policy, ...flow]
