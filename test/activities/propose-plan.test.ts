// Hop 4 with a planner of the test's: what it is given, what becomes of each of its answers, and what a
// worker shows the notary of a proposal.

import { afterEach, describe, expect, it } from 'vitest'
import { AttemptFailure } from '../../activities/failure.ts'
import { compileProposal, proposePlan } from '../../activities/propose-plan.ts'
import type { AdmitCall } from '../../notary/contract.ts'
import { describeActions } from '../../planner/catalogue.ts'
import { noPlanner } from '../../planner/propose.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { catalogue } from '../notary/catalogue.ts'
import { book, compiledOf, proposalOf } from '../notary/proposals.ts'
import { type PlannerWorld, plainInput, plannerWorld, words } from '../support/planner-cases.ts'

const blue = proposalOf(book('blue'))
let world: PlannerWorld | undefined
afterEach(() => world?.close())

async function begin(...answers: readonly unknown[]): Promise<PlannerWorld> {
  world = await plannerWorld(answers)
  return world
}
const askIn = ({ requestId, requestRef, deps }: PlannerWorld) =>
  proposePlan({ requestId, requestRef }, deps)
const textOf = async ({ artifacts }: PlannerWorld, ref: string) => {
  const { bytes, meta } = await artifacts.get(ref)
  return { text: Buffer.from(bytes).toString(), readers: meta.readers, kind: meta.kind }
}

describe('a planner', () => {
  it('is given the words, the day where the person lives, and what the manifests declare', async () => {
    const here = await begin({ kind: 'proposal', proposal: blue })
    await askIn(here)
    expect(here.given.map((one) => canonicalJson(one))).toEqual([canonicalJson(plainInput())])
    expect(new Set(Object.keys(plainInput()))).toEqual(
      new Set(['words', 'today', 'zone', 'actions']),
    )
  })

  it('is told of the actions alike, in whatever order the catalogue has them', () => {
    const turned = new Map([...catalogue].toReversed())
    expect(canonicalJson(describeActions(turned))).toBe(canonicalJson(describeActions(catalogue)))
  })

  it('has its proposal kept as it is', async () => {
    const here = await begin({ kind: 'proposal', proposal: blue })
    const outcome = await askIn(here)
    if (outcome.status !== 'PROPOSED') throw new Error(outcome.status)
    const kept = await textOf(here, outcome.proposalRef)
    expect(kept).toEqual({ text: blue, readers: ['user:owner'], kind: 'proposal' })
  })

  it('is given its own last proposal, and codes and places of what is wrong with it', async () => {
    const wrong = proposalOf(book('blue', { action: 'lost' }))
    const answers = [wrong, blue].map((proposal) => ({ kind: 'proposal', proposal }))
    const here = await begin(...answers)
    const { requestId, requestRef, deps } = here
    const first = await askIn(here)
    if (first.status !== 'PROPOSED') throw new Error(first.status)
    const { proposalRef } = first
    const compiled = await compileProposal({ requestId, requestRef, proposalRef }, deps)
    if (compiled.status !== 'ISSUES') throw new Error(compiled.status)
    const { issues } = compiled
    expect(issues).toEqual([{ code: 'UNKNOWN_ACTION', path: '/steps/0/action' }])
    await proposePlan({ requestId, requestRef, previous: { proposalRef, issues } }, deps)
    const told = { ...plainInput(), previous: { proposal: wrong, issues: [...issues] } }
    expect(canonicalJson(here.given[1])).toBe(canonicalJson(told))
  })

  it('may ask: the person gets the question, what can be chosen, and what to type', async () => {
    const options = ['the blue one\u001b[2J', 'the\nred one']
    const here = await begin({ kind: 'question', text: 'Which room?\u202e', options })
    const outcome = await askIn(here)
    if (outcome.status !== 'ANSWERED') throw new Error(outcome.status)
    expect(outcome.code).toBe('QUESTION')
    const { text, readers, kind } = await textOf(here, outcome.answerRef)
    expect([readers, kind]).toEqual([['user:owner'], 'answer'])
    expect(text.split('\n')).toEqual([
      'Which room?',
      '- the blue one[2J',
      '- the red one',
      '',
      'ask again with the answer in it: npx bulkhead ask "..."',
    ])
  })

  it('may refuse, with a reason of its own, and nothing is done', async () => {
    const here = await begin({
      kind: 'refusal',
      reason: 'NO_ACTION',
      text: 'no agent books flights',
    })
    const outcome = await askIn(here)
    if (outcome.status !== 'ANSWERED') throw new Error(outcome.status)
    expect(outcome.code).toBe('NO_ACTION')
    expect((await textOf(here, outcome.answerRef)).text).toContain('no agent books flights')
  })

  it('that is none says so', async () => {
    const here = await begin()
    const { requestId, requestRef, deps } = here
    const outcome = await proposePlan({ requestId, requestRef }, { ...deps, propose: noPlanner })
    expect(outcome).toMatchObject({ status: 'ANSWERED', code: 'NO_PLANNER' })
  })

  it.each([
    ['nothing', undefined],
    ['a plan and a question', { kind: 'proposal', proposal: '{}', text: 'may I?' }],
    ['a text', 'book it'],
    ['a refusal for a reason of its own', { kind: 'refusal', reason: 'TIRED', text: 'no' }],
    ['too much', { kind: 'proposal', proposal: 'x'.repeat(256 * 1024 + 1) }],
    ['too many choices', { kind: 'question', text: '?', options: Array(13).fill('x') }],
  ])('that answers with %s is not understood, and its words go nowhere', async (_, answer) => {
    const here = await begin(answer)
    const outcome = await askIn(here)
    if (outcome.status !== 'ANSWERED') throw new Error(outcome.status)
    expect(outcome.code).toBe('UNREADABLE')
    const { text } = await textOf(here, outcome.answerRef)
    expect(text.split('\n')[0]).toBe('the planner gave no answer that can be read')
  })
})

describe('a model that was asked before', () => {
  const answer = { requestId: 'r-words:propose-1-0', rerun: 0 }

  it('has answered where its answer is, and has not where it is not', async () => {
    const { requestId, requestRef, deps, artifacts } = await begin()
    const unsure = { requestId, requestRef, consulted: { answer, isUnsure: true } } as const
    expect(await proposePlan(unsure, deps)).toEqual({ status: 'UNANSWERED' })
    const result = Buffer.from(canonicalJson({ kind: 'plan', proposal: blue }))
    await artifacts.put(result, {
      ...{ kind: 'result', requestId: answer.requestId, step: 'propose', iteration: 0 },
      ...{ readers: ['user:owner'], createdAt: 1 },
    })
    expect(await proposePlan(unsure, deps)).toMatchObject({ status: 'PROPOSED' })
  })

  it('whose answer is gone is a loss that is not passed over', async () => {
    const { requestId, requestRef, deps } = await begin()
    const lost = proposePlan({ requestId, requestRef, consulted: { answer } }, deps)
    await expect(lost).rejects.toMatchObject({ type: 'ARTIFACT_MISSING' })
  })
})

describe('a proposal', () => {
  it('is shown to the notary as it is, which says which plan it is', async () => {
    const here = await begin({ kind: 'proposal', proposal: blue })
    const outcome = await askIn(here)
    if (outcome.status !== 'PROPOSED') throw new Error(outcome.status)
    const calls: AdmitCall[] = []
    const { digest, plan } = compiledOf(blue, { words })
    const notary = {
      ...here.deps.notary,
      admit: async (call: AdmitCall) => {
        calls.push(call)
        return { status: 'ADMITTED', digest, user: 'user:owner' } as const
      },
    }
    const { requestId, requestRef } = here
    const { proposalRef } = outcome
    const input = { requestId, requestRef, proposalRef, text: true } as const
    const compiled = await compileProposal(input, { ...here.deps, notary })
    expect(calls).toEqual([{ requestId, proposal: blue }])
    expect(compiled).toMatchObject({
      status: 'ADMITTED',
      skeleton: { digest, steps: [{ id: 'book', type: 'desk.book' }] },
    })
    const other = {
      ...notary,
      admit: async () => ({ status: 'ADMITTED', digest: 'x', user: '' }) as const,
    }
    const mismatch = compileProposal(input, { ...here.deps, notary: other })
    await expect(mismatch).rejects.toMatchObject({ type: 'PLAN_MISMATCH' })
    expect(plan.goal).toBe(words)
  })

  it('is taken from its own request only, and words only from a request in words', async () => {
    const here = await begin()
    const { requestId, requestRef, deps, artifacts } = here
    const about = { readers: ['user:owner'], createdAt: 1 }
    const others = await artifacts.put(Buffer.from(blue), {
      ...{ kind: 'proposal', requestId: 'r-other', ...about },
    })
    const written = { kind: 'plan', name: 'n', source: 'version: 1', inputs: {} }
    const plan = await artifacts.put(Buffer.from(JSON.stringify(written)), {
      ...{ kind: 'request', requestId, ...about },
    })
    const attempts = [
      () => compileProposal({ requestId, requestRef, proposalRef: others }, deps),
      () => compileProposal({ requestId, requestRef, proposalRef: requestRef }, deps),
      () => proposePlan({ requestId, requestRef: plan }, deps),
      () => proposePlan({ requestId: 'r-other', requestRef }, deps),
    ]
    for (const attempt of attempts) {
      const error = await attempt().catch((cause: unknown) => cause)
      expect(error).toBeInstanceOf(AttemptFailure)
      expect(error).toMatchObject({ type: 'PLAN_MISMATCH' })
    }
    expect(here.given).toEqual([])
  })
})
