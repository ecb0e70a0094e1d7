// From words to an admitted plan, with fakes: how often a planner is asked, what it is told, and what a run
// ends with that gets no plan.

import { describe, expect, it } from 'vitest'
import type { CompileOutcome } from '../../workflows/contract.ts'
import { createProposing } from '../../workflows/propose.ts'
import type { ProposalOutcome, ProposeInput, Said } from '../../workflows/propose-contract.ts'

const input = { requestId: 'r-1', requestRef: 'words', text: true } as const
const admitted: CompileOutcome = {
  status: 'ADMITTED',
  skeleton: { planRef: 'plan', digest: 'digest', steps: [] },
}
const waiting: CompileOutcome = { status: 'WAITING', approval: { id: 'a-1', expiresAt: 9 } }
const question: Said = { status: 'ANSWERED', code: 'QUESTION', answerRef: 'what?' }
const proposed = (proposalRef: string): Said => ({ status: 'PROPOSED', proposalRef })
const issues = (...codes: readonly string[]): ProposalOutcome => ({
  status: 'ISSUES',
  issues: codes.map((code) => ({ code, path: '/steps/0' })),
})

/** What each answers, in order; a script that runs out is a failure. */
function scripted(planner: readonly Said[], compiler: readonly ProposalOutcome[]) {
  const asked: ProposeInput[] = []
  const compiled: string[] = []
  const [proposals, outcomes] = [[...planner], [...compiler]]
  const compile = createProposing(input, {
    async proposePlan(given) {
      asked.push(given)
      return proposals.shift() ?? Promise.reject(new Error('the planner was asked too often'))
    },
    async compileProposal({ proposalRef }) {
      compiled.push(proposalRef)
      return outcomes.shift() ?? Promise.reject(new Error('compiled too often'))
    },
  })
  return { compile, asked, compiled }
}

describe('a request in words', () => {
  it('gets the plan that is proposed', async () => {
    const { compile, asked, compiled } = scripted([proposed('one')], [admitted])
    expect(await compile()).toEqual(admitted)
    expect(asked).toEqual([{ requestId: 'r-1', requestRef: 'words' }])
    expect(compiled).toEqual(['one'])
  })

  it('has a planner told once what was wrong, by codes and places', async () => {
    const wrong = issues('UNKNOWN_ACTION', 'LIMIT')
    const { compile, asked } = scripted([proposed('one'), proposed('two')], [wrong, admitted])
    expect(await compile()).toEqual(admitted)
    expect(asked[1]).toEqual({
      requestId: 'r-1',
      requestRef: 'words',
      previous: {
        proposalRef: 'one',
        issues: [
          { code: 'UNKNOWN_ACTION', path: '/steps/0' },
          { code: 'LIMIT', path: '/steps/0' },
        ],
      },
    })
  })

  it.each([
    ['CYCLE', 'INVALID'],
    ['FLOW_R2', 'DENIED'],
    ['POLICY', 'DENIED'],
  ])('ends where the second is wrong too, with %s as %s', async (code, status) => {
    const twice = [issues('LIMIT'), issues(code)]
    const { compile } = scripted([proposed('one'), proposed('two')], twice)
    expect(await compile()).toEqual({ status, code })
  })

  it('ends with what the planner asks or says, at first or when told', async () => {
    expect(await scripted([question], []).compile()).toEqual(question)
    const told = scripted([proposed('one'), question], [issues('LIMIT')])
    expect(await told.compile()).toEqual(question)
  })

  it('asks no planner again while a person decides on what it proposed', async () => {
    const { compile, asked, compiled } = scripted([proposed('one')], [waiting, waiting, admitted])
    expect([await compile(), await compile(), await compile()]).toEqual([
      waiting,
      waiting,
      admitted,
    ])
    expect(asked).toHaveLength(1)
    expect(compiled).toEqual(['one', 'one', 'one'])
  })

  it('ends where the rules have changed while a person decided', async () => {
    const { compile } = scripted([proposed('one')], [waiting, issues('POLICY')])
    await compile()
    expect(await compile()).toEqual({ status: 'DENIED', code: 'POLICY' })
  })

  it('fails with what an activity fails with', async () => {
    await expect(scripted([], []).compile()).rejects.toThrow('too often')
  })
})
