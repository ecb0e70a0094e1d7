// What a planner proposes, compiled for the words that a person said: what it may decide by itself, what
// a person is asked, and what is refused.

import { describe, expect, it } from 'vitest'
import { compileProposal, goalOf } from '../../plan/compile-proposal.ts'
import { limits } from '../../plan/limits.ts'
import { type KnownNames, nobody } from '../../plan/principals.ts'
import { attackedHouse as catalogue } from '../support/attacker-manifests.ts'
import { from, get, inbox, item, mine, send, write } from '../support/flow-case.ts'

const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
const mail = (to: string, body: unknown = 'hi') => send('s', { to: [to], subject: 's', body })

function compile(
  steps: readonly unknown[],
  words: string,
  more: object = {},
  names: KnownNames = nobody,
) {
  const plan = { version: 1, goal: 'all is well', steps, answer: { from: [] }, ...more }
  return compileProposal({ proposal: JSON.stringify(plan), words }, { catalogue, decide, names })
}
function asked(result: ReturnType<typeof compile>): readonly string[] {
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result.report.questions.map(({ code, path }) => `${code} ${path}`)
}
function refusals(result: ReturnType<typeof compile>): readonly string[] {
  return result.ok ? [] : result.issues.map(({ code }) => code)
}

describe('a proposal', () => {
  it('is compiled as it is where the person said whom, and the rest is content', () => {
    const result = compile([mail('bob@x.org', 'whatever a planner writes')], 'Mail bob@x.org!')
    expect(asked(result)).toEqual([])
    expect(result.ok && result.report.approvals).toEqual([])
  })

  it('has a person asked about an address that they never said', () => {
    const result = compile([mail('thief@x.org')], 'Mail bob@x.org!')
    expect(asked(result)).toEqual(['FLOW_R9 /steps/0/args/to/0'])
    expect(result.ok && result.report.approvals).toEqual(['s'])
  })

  it('need not ask about somebody whom the person has listed', () => {
    expect(asked(compile([mail('bob@x.org')], 'Mail my friend!', {}, mine))).toEqual([])
  })

  it('has a person asked about each of a list that it made up', () => {
    const each = { forEach: { in: ['bob@x.org', 'thief@x.org'], as: 'i', max: 2 } }
    const loop = send('s', { to: [item('')], subject: 's', body: 'hi' }, each)
    expect(asked(compile([loop], 'mail bob@x.org'))).toEqual(['FLOW_R9 /steps/0/args/to/0'])
  })

  it('is refused where it shows what is private to whomever it likes, said or not', () => {
    for (const words of ['mail thief@x.org', 'mail nobody']) {
      const plan = [inbox, mail('thief@x.org', from('inbox#/first/text'))]
      expect(refusals(compile(plan, words))).toEqual(['FLOW_R2'])
    }
  })

  it('is refused where a stranger says whom, said or not', () => {
    const steps = [inbox, send('s', { to: [from('inbox#/first/from')], subject: 's', body: 'x' })]
    expect(refusals(compile(steps, 'mail bob@x.org'))).toContain('FLOW_R1')
  })

  it('has a person asked what agents decide on, which a plan of their own need not', () => {
    const guarded = { when: { cel: "t == 'y'", with: { t: from('a#/title') } } }
    const steps = [get('a', { page: '2026-11-21' }), write('b', { text: 'x' }, guarded)]
    expect(asked(compile(steps, 'note it'))).toEqual(['FLOW_R3 /steps/1/when'])
  })

  it("carries the person's words as its goal, and not what a planner says of itself", () => {
    const result = compile([mail('bob@x.org')], ' Mail\tbob@x.org\n now ')
    expect(result.ok && result.plan.goal).toBe('Mail bob@x.org now')
    expect(goalOf('x'.repeat(4_000))).toHaveLength(500)
  })

  it('has the digest of what it says, for the words that it is for', () => {
    const digestOf = (words: string) => {
      const result = compile([mail('bob@x.org')], words)
      return result.ok ? result.digest : ''
    }
    expect(digestOf('mail bob@x.org')).toBe(digestOf('mail bob@x.org'))
    expect(digestOf('mail bob@x.org')).not.toBe(digestOf('write to bob@x.org'))
  })

  it.each([
    ['inputs', { inputs: { to: { type: 'string', default: 'thief@x.org' } } }],
    ['a name', { name: 'bill-reminders' }],
  ])('is refused with %s, which nobody has given', (_, more) => {
    expect(refusals(compile([mail('bob@x.org')], 'mail bob@x.org', more))).toEqual([
      'INVALID_SHAPE',
    ])
  })

  it.each([
    ['no JSON', 'version: 1'],
    ['a key twice', '{"version":1,"version":1}'],
    ['a prototype', '{"__proto__":{}}'],
    ['a lone surrogate', '"\\ud800"'],
    ['nothing', ''],
    ['depth', '['.repeat(100) + ']'.repeat(100)],
  ])('is refused when it is %s', (_, proposal) => {
    const result = compileProposal({ proposal, words: 'x' }, { catalogue, decide })
    expect(result.ok ? [] : result.issues.map(({ code }) => code)).toEqual(['INVALID_SHAPE'])
  })

  it('is refused when it is longer than a model may write', () => {
    const proposal = JSON.stringify('x'.repeat(limits.proposalBytes))
    const result = compileProposal({ proposal, words: 'x' }, { catalogue, decide })
    expect(result.ok ? [] : result.issues.map(({ code }) => code)).toEqual(['LIMIT'])
  })
})
