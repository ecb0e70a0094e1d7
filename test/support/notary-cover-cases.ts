// A case for each way in which a decision, or a grant, could be taken for one about something else: then
// the question is asked. And for what cannot be granted.

import type { InputValues } from '../../plan/schema.ts'
import { onlyQuestion, say } from '../notary/approvals.ts'
import { execute, type Harness } from '../notary/harness.ts'
import { conflict, expand, looping, oneTwo } from '../notary/loops.ts'
import { append, erasing, list } from '../notary/plans.ts'
import {
  admit,
  approved,
  asked,
  daily,
  erase,
  erasingPlan,
  planOf,
  until,
  week,
} from './notary-approval-set-up.ts'
import type { NotaryCase, Reply } from './notary-case.ts'

const grants: readonly NotaryCase[] = [
  asked('UNKNOWN_GRANT', "somebody else's grant revoked", async (home) => {
    await approved(home, { grant: daily(home) })
    const known = await home.notary.approve('cli', { op: 'grants' })
    const grant = known.status === 'GRANTS' ? (known.grants[0]?.id ?? '') : ''
    return home.notary.approve('cli-cat', { op: 'revoke', grant })
  }),
  asked('MALFORMED', 'a grant given with a denial', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { decision: 'deny', grant: daily(home) })
  }),
  asked('LIMIT', 'a grant for longer than a year', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { grant: { ...daily(home), exp: until(home, 60 * week) } })
  }),
  asked('LIMIT', 'a grant that has ended', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { grant: { ...daily(home), exp: until(home, -1_000) } })
  }),
  asked('LIMIT', 'a card that is too long to be read', async (home) => {
    const note = `${'n'.repeat(60_000)}`
    const steps = Array.from({ length: 10 }, (_, at) => eraseStep(`erase-${at}`, `${note}${at}`))
    const source = `version: 1\ngoal: erase\nsteps:\n${steps.join('')}answer: { from: [erase-0] }\n`
    return admit(home, await home.run(source, { admitted: false }))
  }),
]

const eraseStep = (id: string, note: string) =>
  `  - { id: ${id}, agent: desk, action: erase, args: { note: ${note}, dryRun: false } }\n`

/** What was granted, and used once. */
async function granted(home: Harness, count = 2): Promise<void> {
  const { run } = await approved(home, { grant: daily(home, count) })
  await run.token('erase', erase)
}

let requests = 2
/** Asked for again, on another day: admitted, or with a token, where nobody is asked. */
async function again(
  home: Harness,
  {
    source = erasing,
    inputs = {},
  }: { readonly source?: string; readonly inputs?: InputValues } = {},
): Promise<Reply> {
  requests += 1
  const run = await home.run(source, { requestId: `r-${requests}`, inputs, admitted: false })
  const reply = await admit(home, run)
  return reply.status === 'ADMITTED' ? run.authorize('erase', erase) : reply
}

/** The plan's step holds the run when it fails. */
async function approvedHolding(home: Harness) {
  const source = erasing.replace('dryRun: false } }', 'dryRun: false }, onError: hold }')
  const { run, id } = await erasingPlan(home, 'r-1', source)
  await say(home, id)
  await admit(home, run)
  return { run }
}

async function gatheredList(home: Harness) {
  const only = looping
    .replace(/ {2}- id: sum[\s\S]*(?=answer)/, '')
    .replace('  - id: each\n', '  - id: each\n    onError: hold\n')
  const run = await home.run(only)
  const source = await run.perform('gather', list, oneTwo)
  return { run, source }
}

const covers: readonly NotaryCase[] = [
  asked('APPROVAL', 'the same plan asked for again', async (home) => {
    await approved(home)
    return again(home)
  }),
  asked('APPROVAL', 'a plan whose rule asks', async (home) => {
    const run = await home.run(erasing, { admitted: false })
    return admit(home, run)
  }),
  asked('APPROVAL', 'a step that a person has run again', async (home) => {
    const { run } = await approvedHolding(home)
    const token = await run.token('erase', erase)
    await run.settle('erase', await execute(token, conflict, home.keys.receipt))
    await home.notary.recover('cli', { decision: 'retry', requestId: 'r-1', step: 'erase' })
    return run.authorize('erase', erase)
  }),
  asked('APPROVAL', 'a card that was put in the place of another in the file', async (home) => {
    const { run } = await approved(home)
    const weekly = erasing.replace('daily', 'weekly')
    await erasingPlan(home, 'r-2', weekly)
    await home.tamper(`
      CREATE TEMP TABLE other AS SELECT card, digest FROM approval WHERE request = 'r-2';
      DELETE FROM approval WHERE request = 'r-2';
      UPDATE approval SET card = (SELECT card FROM other), digest = (SELECT digest FROM other);`)
    const restarted = await home.restart()
    try {
      return await restarted.notary.authorize('worker', run.call('erase', erase))
    } finally {
      await restarted.store.close()
    }
  }),
  asked(
    'APPROVAL',
    'a list that a rule asks about',
    async (home) => {
      const { run, source } = await gatheredList(home)
      return expand(home, run, { sources: [source] })
    },
    ['append'],
  ),
  asked(
    'APPROVAL',
    'an item of an approved list that a person has run again',
    async (home) => {
      const { run, source } = await gatheredList(home)
      await expand(home, run, { sources: [source] })
      await say(home, await onlyQuestion(home))
      await expand(home, run, { sources: [source] })
      for (const [iteration, text] of ['one', 'two'].entries()) {
        const change = { iteration, sources: [source] }
        const token = await run.token('each', append(text), change)
        const happened =
          iteration === 0 ? conflict : ({ status: 'DONE', value: { entry: 'e' } } as const)
        const documents = await execute(token, happened, home.keys.receipt)
        await run.settle('each', documents, { iteration })
      }
      await home.notary.recover('cli', { decision: 'retry', requestId: 'r-1', step: 'each' })
      return run.authorize('each', append('one'), { sources: [source] })
    },
    ['append'],
  ),
  asked('APPROVAL', 'a grant that is used up for this period', async (home) => {
    await granted(home, 1)
    await again(home)
    return again(home)
  }),
  asked('APPROVAL', 'a grant that has ended', async (home) => {
    await granted(home)
    home.clock.time += 30 * week
    return again(home)
  }),
  asked('APPROVAL', 'a grant that was revoked', async (home) => {
    await granted(home)
    const known = await home.notary.approve('cli', { op: 'grants' })
    const grant = known.status === 'GRANTS' ? (known.grants[0]?.id ?? '') : ''
    await home.notary.approve('cli', { op: 'revoke', grant })
    return again(home)
  }),
  asked('APPROVAL', 'a granted step in another plan', async (home) => {
    await granted(home)
    return again(home, { source: erasing.replace('goal: erase', 'goal: clean') })
  }),
  asked('APPROVAL', 'a granted step with another value', async (home) => {
    const source = erasing
      .replace('goal: erase', 'goal: erase\ninputs: { note: { type: string } }')
      .replace('note: daily', 'note: { $input: note }')
    const run = await home.run(source, { inputs: { note: 'daily' }, admitted: false })
    await admit(home, run)
    await say(home, await onlyQuestion(home), { grant: daily(home) })
    return again(home, { source, inputs: { note: 'weekly' } })
  }),
  asked('APPROVAL', 'the same plan asked for by somebody else', async (home) => {
    await granted(home)
    const requestId = 'r-bob'
    const about = { kind: 'plan', name: 'test', source: erasing, inputs: {}, priority: 'MEDIUM' }
    await home.notary.request('cli-bob', { requestId, ...about })
    return admit(home, { requestId, plan: planOf(erasing) })
  }),
]

export const coverCases: readonly NotaryCase[] = [...grants, ...covers]
