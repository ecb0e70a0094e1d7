// Plans that build on earlier results: what a handle may be, what it will be as a type, and that time washes
// nothing off a label: what was untrusted, or somebody's alone, still is in the next request.

import { describe, expect, it } from 'vitest'
import { compilePlan } from '../../plan/compile.ts'
import type { LookUpHandle, PinnedHandle } from '../../plan/handle.ts'
import type { Decide } from '../../plan/policy.ts'
import { resolveRecord } from '../../plan/references.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { compiled, context, type Fields, look, messages, planOf, refusals, write } from './house.ts'

const name = 'briefing-1/look/0'
const found: PinnedHandle = {
  ...{ agent: 'desk', action: 'look', rerun: 0, hash: 'A'.repeat(43) },
  ...{ readers: 'PUBLIC', agents: [] },
}
const page: PinnedHandle = { ...found, agent: 'web', action: 'get' }

const knowing =
  (pin: Partial<PinnedHandle> = {}): LookUpHandle =>
  (handle) =>
    handle === name ? { ...found, ...pin } : undefined
const handle = (pointer: string, of = name) => ({ $handle: of, pointer })
const writing = (value: unknown, more: Fields = {}) => planOf([write('b', { text: value }, more)])
const refused = (plan: unknown, pin: Partial<PinnedHandle> = {}) =>
  refusals(plan, { handles: knowing(pin) })

/** The first thing that the flow rules refuse, with what is to blame. */
function blame(plan: unknown, pin: Partial<PinnedHandle> = {}) {
  const decide: Decide = () => ({ verdict: 'allow', rules: ['anything'] })
  const result = compilePlan(plan, { ...context, decide, handles: knowing(pin) })
  return result.ok ? undefined : [result.issues[0]?.code, result.issues[0]?.source]
}

const sending = (value: unknown, more: Fields = {}) =>
  planOf([{ id: 'b', agent: 'post', action: 'send', args: { text: value }, ...more }])
const marking = (value: unknown) =>
  planOf([{ id: 'b', agent: 'desk', action: 'mark', args: { entry: value } }])
const asking = (value: unknown) =>
  planOf([{ id: 'b', agent: 'web', action: 'get', args: { page: value } }])

describe('an earlier result as an argument', () => {
  it('is what its action returns', () => {
    expect(refused(writing(handle('/title')))).toEqual([])
    expect(refused(writing(handle('/count')))).toEqual(['INVALID_ARGUMENT /steps/0/args/text'])
    expect(refused(writing(handle('/nothing')))).toEqual(['UNKNOWN_REFERENCE /steps/0/args/text'])
  })

  it('may stand in texts, guards and loops', () => {
    const text = { $text: '{{title}}', with: { title: handle('/title') } }
    const when = { cel: 'size(items) > 0', with: { items: handle('/items') } }
    const forEach = { in: handle('/items'), as: 'one', max: 3 }
    expect(refused(planOf([look('b', { when })]))).toEqual([])
    expect(refused(writing(text))).toEqual([])
    expect(refused(writing({ $item: '/name', as: 'one' }, { forEach }))).toEqual([])
    expect(refused(writing({ $item: '/nam', as: 'one' }, { forEach }))).toEqual([
      'UNKNOWN_REFERENCE /steps/0/args/text',
    ])
  })

  it('that may be null wants a guard that reads it', () => {
    const when = { cel: 'p != null', with: { p: handle('/place') } }
    expect(refused(writing(handle('/place')))).toEqual(['INVALID_ARGUMENT /steps/0/args/text'])
    expect(refused(writing(handle('/place'), { when }))).toEqual([])
  })

  it.each([
    'look',
    'briefing-1/look',
    'briefing-1/look/00',
    'briefing-1/look/-1',
    'briefing-1/look/0/x',
    'Briefing/look/0',
    '../look/0',
    'briefing-1/Look/0',
  ])('is refused by a name that is none: %s', (of) => {
    expect(refused(writing(handle('/title', of)))).toEqual(['UNKNOWN_REFERENCE /steps/0/args/text'])
  })

  it('is refused with a pointer that is none, and without one', () => {
    expect(refused(writing(handle('title')))).toEqual(['UNKNOWN_REFERENCE /steps/0/args/text'])
    expect(refused(writing({ $handle: name }))).toEqual(['INVALID_SHAPE /steps/0/args/text'])
    expect(refused(writing({ $from: `${name}#/title` }))).toEqual([
      'UNKNOWN_REFERENCE /steps/0/args/text',
    ])
  })

  it('is refused where nobody has it, and says where to look', () => {
    const plan = writing(handle('/title', 'other/look/0'))
    expect(refused(plan)).toEqual(['UNKNOWN_HANDLE /steps/0/args/text'])
    expect(messages(plan, { handles: knowing() })).toContain('runs show')
  })

  it('is refused of an action that there is no more', () => {
    expect(refused(writing(handle('/title')), { action: 'peek' })).toEqual([
      'UNKNOWN_HANDLE /steps/0/args/text',
    ])
  })

  it('is refused in what runs again and again', () => {
    expect(refusals(writing(handle('/title')))).toEqual(['UNKNOWN_HANDLE /steps/0/args/text'])
  })

  it('is left to the notary where nobody else can tell', () => {
    const plan = writing(handle('/title'))
    expect(refusals(plan, { handles: 'later' })).toEqual([])
    expect(compiled(plan, { handles: 'later' }).handles).toBeUndefined()
    // What needs no look-up is refused all the same.
    expect(refusals(asking(handle('/title')), { handles: 'later' })).toEqual([
      'FLOW_R5 /steps/0/args/page',
    ])
  })

  it('is one of thirty-two at most', () => {
    const plan = (count: number) =>
      planOf([look('a', { args: { tags: ['x'] } })], {
        steps: Array.from({ length: count }, (_, n) =>
          write(`s${n}`, { text: handle('/title', `briefing-1/look/${n}`) }),
        ),
      })
    const handles: LookUpHandle = () => found
    expect(refusals(plan(32), { handles })).toEqual([])
    expect(refusals(plan(33), { handles })).toContain('LIMIT /steps')
  })
})

describe('a compiled plan', () => {
  const plan = writing(handle('/title'))

  it('pins the earlier results that it builds on, so that its digest is another with other ones', () => {
    const one = compiled(plan, { handles: knowing() })
    const other = compiled(plan, { handles: knowing({ hash: 'B'.repeat(43) }) })
    expect(one.handles).toEqual({ [name]: found })
    expect(digestOf(one)).not.toBe(digestOf(other))
    expect(compiled(writing('x'), { handles: knowing() })).not.toHaveProperty('handles')
  })

  it('waits for no step because of them, and resolves them by name', () => {
    const [step] = compiled(plan, { handles: knowing() }).steps
    expect(step?.needs).toEqual([])
    const resultOf = (source: string) => (source === name ? { title: 'found' } : null)
    expect(resolveRecord(step?.args ?? {}, { inputs: {}, resultOf })).toEqual({ text: 'found' })
  })

  it('cannot wait for any of nothing but earlier results', () => {
    expect(refused(writing(handle('/title'), { join: 'any' }))).toEqual([
      'INVALID_ARGUMENT /steps/0/join',
    ])
  })
})

describe('the label of an earlier result', () => {
  it('is untrusted, whatever became of it meanwhile: it decides nothing, and is named', () => {
    const asked = asking({ $text: '{{t}}', with: { t: handle('/title') } })
    expect(blame(asking(handle('/title')), page)).toEqual(['FLOW_R5', name])
    expect(blame(asked, page)).toEqual(['FLOW_R5', name])
  })

  it("is the owner's alone, unless the manifest says that anybody may see it", () => {
    expect(blame(sending(handle('/title')))).toEqual(['FLOW_R2', name])
    expect(blame(sending(handle('/range/from')))).toBeUndefined()
    expect(blame(sending(handle('/title')), page)).toBeUndefined()
  })

  it('keeps who may see what its step was given', () => {
    expect(blame(sending(handle('/title')), { ...page, readers: ['user:owner'] })).toEqual([
      'FLOW_R2',
      name,
    ])
  })

  it('keeps who had a hand in it: another agent makes no id', () => {
    expect(blame(marking(handle('/title')))).toBeUndefined()
    expect(blame(marking(handle('/title')), { agents: ['post'] })).toEqual(['FLOW_R1', name])
    expect(blame(marking(handle('/title')), page)).toEqual(['FLOW_R1', name])
  })

  it('tells nobody else whether something happens', () => {
    const when = { cel: "t == 'x'", with: { t: handle('/title') } }
    expect(blame(sending('hello', { when }))).toEqual(['FLOW_R4', name])
  })
})
