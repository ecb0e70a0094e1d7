// What a dishonest worker may try with loops, times and `join: any`: a case for each refusal, each
// against a notary of its own. The honest way through them is in test/notary.

import type { Harness } from '../notary/harness.ts'
import {
  codeOf,
  conflict,
  eitherOf,
  expand,
  expanded,
  gather,
  iterate,
  looping,
  loopingWith,
  oneTwo,
  together,
} from '../notary/loops.ts'
import { append, items, list } from '../notary/plans.ts'
import { type NotaryCase, notaryCase } from './notary-case.ts'

const caseOf = (
  wanted: string,
  name: string,
  attempt: (harness: Harness) => Promise<{ readonly status: string }>,
): NotaryCase => notaryCase(wanted, name, async (harness) => String(await codeOf(attempt(harness))))

const settle = (harness: Harness, digest: string, call: object) =>
  harness.notary.settle('worker', {
    ...{ requestId: 'r-1', planDigest: digest, kind: 'do', step: 'each', iteration: 0 },
    ...call,
  })

/** The loop with both of its iterations settled. */
async function over(harness: Harness, plan = looping, value?: unknown) {
  const about = await expanded(harness, plan)
  const done = value === undefined ? {} : { happened: { status: 'DONE', value } as const }
  const one = await iterate(harness, about, { iteration: 0, ...done })
  const two = await iterate(harness, about, { iteration: 1 })
  return { ...about, one, two }
}

const sum = (
  { run }: Awaited<ReturnType<typeof expanded>>,
  source: ReturnType<typeof together>,
  text = 'e-one e-two ',
) => run.authorize('sum', append(text), { sources: [source] })

/** The loop over nothing, which has no iteration. */
const empty = (harness: Harness) => expanded(harness, looping, items([]))

const counting: readonly NotaryCase[] = [
  caseOf('LOOP', 'the list of a loop', async (harness) => (await expanded(harness)).reply),
  caseOf('LIMIT', 'more items than the plan allows', async (harness) => {
    const { reply } = await expanded(harness, looping, items(['a', 'b', 'c', 'd']))
    return reply
  }),
  caseOf('UNKNOWN_STEP', 'the list of a step that is no loop', async (harness) => {
    const run = await harness.run(looping)
    return expand(harness, run, { step: 'gather', sources: [] })
  }),
  caseOf('UNKNOWN_STEP', 'the list of an undo', async (harness) => {
    const { run } = await expanded(harness)
    return settle(harness, run.digest, { type: 'loop', kind: 'undo', sources: [] })
  }),
  caseOf('UNKNOWN_STEP', 'the results of a step that is no loop', async (harness) => {
    const run = await harness.run(looping)
    return gather(harness, run, 'gather')
  }),
  caseOf('NO_ITERATION', 'an iteration that the list does not have', async (harness) => {
    const { run, source } = await expanded(harness)
    return run.authorize('each', append('two'), { iteration: 2, sources: [source] })
  }),
  caseOf('NO_ITERATION', 'an iteration of a list that nobody has counted', async (harness) => {
    const run = await harness.run(looping)
    const source = await run.perform('gather', list, oneTwo)
    return run.authorize('each', append('one'), { sources: [source] })
  }),
  caseOf('NO_ITERATION', 'an iteration of a list that must be counted again', async (harness) => {
    const { run, source } = await expanded(harness)
    await harness.store.commit('fact', ({ state }) => state.putRerun('r-1', 'each', -1, 1))
    return run.authorize('each', append('one'), { sources: [source] })
  }),
  caseOf('NO_ITERATION', 'a skip in a list of nothing', async (harness) => {
    const { run, source } = await empty(harness)
    return settle(harness, run.digest, { type: 'skip', sources: [source] })
  }),
  caseOf('NO_ITERATION', 'a failure in a list of nothing', async (harness) => {
    const { run } = await empty(harness)
    return settle(harness, run.digest, { type: 'failure', code: 'NO_REPLY' })
  }),
  caseOf('ARGS_MISMATCH', "another item's arguments", async (harness) => {
    const { run, source } = await expanded(harness)
    return run.authorize('each', append('one'), { iteration: 1, sources: [source] })
  }),
]

const early = looping.replace('- { id: gather,', "- { at: { local: '10:00' }, id: gather,")

const timely: readonly NotaryCase[] = [
  caseOf('AUTHORISED', 'a step when its time has come', async (harness) => {
    const run = await harness.run(early)
    harness.clock.time += 3_600_000
    return run.authorize('gather', list)
  }),
  caseOf('LIMIT', 'a plan with a step after the longest run', async (harness) => {
    const late = early.replace('10:00', '2027-02-15T10:00')
    const { requestId, plan } = await harness.run(late, { admitted: false })
    return harness.notary.admit('worker', { requestId, plan })
  }),
  caseOf('NOT_YET', 'a step before its time', async (harness) => {
    const run = await harness.run(early)
    harness.clock.time += 3_590_000
    return run.authorize('gather', list)
  }),
  caseOf('NOT_YET', 'a step whose time nobody has kept', async (harness) => {
    const run = await harness.run(early)
    harness.clock.time += 7_200_000
    await harness.tamper('DELETE FROM start_time')
    const again = await harness.restart()
    try {
      return await again.notary.authorize('worker', run.call('gather', list))
    } finally {
      await again.store.close()
    }
  }),
  caseOf('REQUEST_CANCELLED', 'a list in a run that was stopped', async (harness) => {
    const run = await harness.run(looping)
    const source = await run.perform('gather', list, oneTwo)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    return expand(harness, run, { sources: [source] })
  }),
  caseOf('NEEDS_UNSETTLED', 'a step after a loop that is not over', async (harness) => {
    const about = await expanded(harness)
    await iterate(harness, about, { iteration: 0 })
    return about.run.authorize('after', append('z'))
  }),
  caseOf('NEEDS_UNSETTLED', 'a step on the part of a loop that there is', async (harness) => {
    const about = await expanded(harness)
    const one = await iterate(harness, about, { iteration: 0 })
    return sum(about, together([one, null]), 'e-one  ')
  }),
  caseOf('NEEDS_UNSETTLED', 'a step after a loop of which one failed', async (harness) => {
    const about = await expanded(harness, loopingWith('hold'))
    await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1, happened: conflict })
    return about.run.authorize('after', append('z'))
  }),
  caseOf('NEEDS_UNSETTLED', 'a step after a loop that could not begin', async (harness) => {
    const many = items(['a', 'b', 'c', 'd'])
    const { run } = await expanded(harness, loopingWith('hold'), many)
    return run.authorize('after', append('z'))
  }),
  caseOf('NEEDS_UNSETTLED', 'the results of a loop that is not over', async (harness) => {
    const { run } = await expanded(harness)
    return gather(harness, run)
  }),
  caseOf('NEEDS_UNSETTLED', 'the first of any before there is one', async (harness) => {
    const run = await harness.run(eitherOf)
    return run.authorize('first', append(''))
  }),
  caseOf('NEEDS_UNSETTLED', 'a skip while one of any may still come', async (harness) => {
    const run = await harness.run(eitherOf)
    await run.break('one', list, conflict)
    return run.skip('first')
  }),
  caseOf('NEEDS_UNSETTLED', 'a skip by a guard over none of any', async (harness) => {
    const guard = "join: any\n    when: { cel: 'a != null', with: { a: { $from: 'one#/first' } } }"
    const run = await harness.run(eitherOf.replace('join: any', guard))
    return run.skip('first')
  }),
  caseOf('GUARD_TRUE', 'a skip though one of any has settled', async (harness) => {
    const run = await harness.run(eitherOf)
    const one = await run.perform('one', list, items(['x']))
    await run.break('two', { day: 'tomorrow' }, conflict)
    return run.skip('first', [one])
  }),
  caseOf('GUARD_TRUE', 'a skip of a step that needs nothing', async (harness) => {
    const run = await harness.run(looping)
    return run.skip('gather')
  }),
]

const results: readonly NotaryCase[] = [
  caseOf('AUTHORISED', 'a step on all that a loop returned', async (harness) => {
    const about = await over(harness)
    return sum(about, together([about.one, about.two]))
  }),
  caseOf('SOURCE_MISMATCH', 'two results swapped', async (harness) => {
    const about = await over(harness)
    const { hash } = together([about.one, about.two])
    return sum(about, { ...together([about.two, about.one]), hash }, 'e-two e-one ')
  }),
  caseOf('SOURCE_MISMATCH', 'a result left out', async (harness) => {
    const about = await over(harness)
    const { hash } = together([about.one, about.two])
    return sum(about, { ...together([about.one, null]), hash }, 'e-one  ')
  }),
  caseOf('SOURCE_MISMATCH', 'a result of an iteration that has none', async (harness) => {
    const about = await expanded(harness, loopingWith('continue'))
    const one = await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1, happened: conflict })
    const { hash } = together([one, null])
    const content = `[${one.content},{"entry":"evil"}]`
    return sum(about, { step: 'each', iteration: 0, hash, content }, 'e-one evil ')
  }),
  caseOf('SOURCE_MISMATCH', 'the result of an earlier rerun', async (harness) => {
    const about = await over(harness)
    await harness.store.commit('fact', ({ state }) => state.putRerun('r-1', 'each', 0, 1))
    const happened = { status: 'DONE', value: { entry: 'new' } } as const
    const anew = await iterate(harness, about, { iteration: 0, happened })
    const { hash } = together([anew, about.two])
    return sum(about, { ...together([about.one, about.two]), hash })
  }),
  caseOf('SOURCE_MISMATCH', 'a result that the action does not return', async (harness) => {
    const about = await over(harness, looping, { entry: 1 })
    return sum(about, together([about.one, about.two]), '1 e-two ')
  }),
  caseOf('NO_RESULT', 'a step on results of which one is lost', async (harness) => {
    const about = await expanded(harness, loopingWith('hold'))
    const one = await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1, happened: { status: 'UNKNOWN' } })
    const answer = { requestId: 'r-1', step: 'each', iteration: 1, kind: 'do' }
    await harness.notary.recover('cli', { ...answer, decision: 'happened' })
    return sum(about, together([one, null]), 'e-one  ')
  }),
]

export const loopCases = [...counting, ...timely, ...results]
