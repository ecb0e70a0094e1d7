// Whatever is asked, answered, forged and waited for, in whatever order: no token for an effect that a rule
// asks about without a person's own signature, given in time, over a card that shows these very bytes.
// What was approved is kept here from the cards as they were shown, and from nothing that the notary says.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Source } from '../../notary/contract.ts'
import type { Card } from '../../plan/card.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import {
  askingHarness,
  keys,
  openQuestions,
  type Saying,
  say,
  show,
  strangersKey,
} from './approvals.ts'
import type { Harness, Run } from './harness.ts'
import { eraseForReason, erasing, gatherStep, items, list } from './plans.ts'

/** Both effects are asked about: the first with what an agent says, the second as it is written. */
const plan = `
version: 1
goal: erase both
steps:
${gatherStep}${eraseForReason('said', '    attempts: 5\n')}  - { id: written, agent: desk, action: erase, args: { note: weekly, dryRun: false }, attempts: 5 }
answer: { from: [gather] }
`
const sources = [erasing, plan, plan.replace('weekly', 'daily')]

const ways = {
  approve: {},
  deny: { decision: 'deny' },
  stranger: { key: strangersKey },
  other: { key: keys.cat, change: { iss: 'user:cat' } },
  moved: { change: { apr: 'a22222222' } },
  altered: { change: { card_s256: 'A'.repeat(43) } },
  elsewhere: { change: { aud: 'notary:elsewhere' } },
} as const satisfies Readonly<Record<string, Saying>>
type Way = keyof typeof ways

const which = fc.nat(sources.length - 1)
const acts = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: fc.constant('admit' as const), which }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('effects' as const), which }) },
    {
      weight: 6,
      arbitrary: fc.record({
        act: fc.constant('say' as const),
        question: fc.nat(5),
        // As often honestly as in all other ways together.
        way: fc.oneof(
          fc.constant<Way>('approve'),
          fc.constantFrom<Way[]>(...(Object.keys(ways) as Way[])),
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ act: fc.constant('wait' as const), hours: fc.nat(8 * 24) }),
    },
  ),
  { minLength: 10, maxLength: 40 },
)
type Act = typeof acts extends fc.Arbitrary<infer All> ? All : never

/** One request, and what has been made of it. */
interface Asked {
  readonly run: Run
  source?: Source
}

async function follow(
  harness: Harness,
  all: Act,
  tell: (token: { readonly what: string; readonly approved: ReadonlySet<string> }) => void,
) {
  const requests: Asked[] = []
  for (const [at, source] of sources.entries()) {
    requests.push({ run: await harness.run(source, { requestId: `r-${at}`, admitted: false }) })
  }
  const approved = new Set<string>()
  for (const one of all) {
    if (one.act === 'wait') harness.clock.time += one.hours * 3_600_000
    if (one.act === 'say') await answer(harness, one, approved)
    const asked = 'which' in one ? requests[one.which] : undefined
    if (asked === undefined) continue
    const { run } = asked
    if (one.act === 'admit') {
      await harness.notary.admit('worker', { requestId: run.requestId, plan: run.plan })
    }
    if (one.act === 'effects') {
      for (const what of await effectsOf(asked)) tell({ what, approved })
    }
  }
}

/** What was shown is what counts, where it was signed honestly and in time. */
async function answer(
  harness: Harness,
  { question, way }: { readonly question: number; readonly way: Way },
  approved: Set<string>,
): Promise<void> {
  const open = await openQuestions(harness)
  const one = open[question % Math.max(1, open.length)]
  if (one === undefined) return
  const { card: text } = await show(harness, one.id)
  await say(harness, one.id, ways[way])
  const card: Card = JSON.parse(text)
  if (way !== 'approve' || harness.clock.time >= card.expiresAt) return
  for (const { step, args } of card.asks) {
    approved.add(`${one.requestId} ${step} ${canonicalJson(args)}`)
  }
}

/** Tries every effect, and tells which had a token. */
async function effectsOf(asked: Asked): Promise<readonly string[]> {
  const { run } = asked
  const said = { note: 'daily', reason: 'old', dryRun: false }
  const written = { note: run.requestId === 'r-1' ? 'weekly' : 'daily', dryRun: false }
  if (run.requestId !== 'r-0' && asked.source === undefined) {
    const reply = await run.authorize('gather', list)
    if (reply.status === 'AUTHORISED')
      asked.source = await run.perform('gather', list, items(['old']))
  }
  const effects = Object.entries(run.requestId === 'r-0' ? { erase: written } : { said, written })
  const done: string[] = []
  for (const [step, args] of effects) {
    const reply = await run.authorize(step, args, {
      sources: asked.source === undefined ? [] : [asked.source],
    })
    if (reply.status === 'AUTHORISED') done.push(`${run.requestId} ${step} ${canonicalJson(args)}`)
  }
  return done
}

const approve = { act: 'say', question: 0, way: 'approve' } as const
/** Three effects as they should be: random orders get that far too seldom to count on it. */
const honest: Act = [
  ...[{ act: 'admit', which: 0 } as const, approve, { act: 'admit', which: 0 } as const],
  ...[{ act: 'effects', which: 0 } as const, { act: 'admit', which: 1 } as const, approve],
  ...[{ act: 'admit', which: 1 } as const, { act: 'effects', which: 1 } as const, approve],
  { act: 'effects', which: 1 },
]

it('no order of questions, answers, forgeries and days gives a token that nobody signed for', async () => {
  let tokens = 0
  await fc.assert(
    fc.asyncProperty(acts, async (all) => {
      const harness = await askingHarness()
      try {
        await follow(harness, all, ({ what, approved }) => {
          tokens += 1
          expect([...approved]).toContain(what)
        })
      } finally {
        await harness.close()
      }
    }),
    { numRuns: 40, examples: [[honest]] },
  )
  // Or nothing was shown at all.
  expect(tokens).toBeGreaterThan(2)
}, 120_000)
