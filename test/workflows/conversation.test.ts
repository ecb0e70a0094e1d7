// What may become of a turn: each status, what is repeated, what is refused, and what holds whatever is
// said in whatever order.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AnswerInput,
  type BeginInput,
  type Conversation,
  emptyConversation,
  type Turn,
} from '../../workflows/assistant-contract.ts'
import {
  accept,
  answer,
  begun,
  maxTurns,
  mayBegin,
  say,
  type Taken,
} from '../../workflows/conversation.ts'

const ref = (of: string) => Buffer.from(of).toString('hex').padEnd(64, '0').slice(0, 64)
const [saidRef, planRef] = [ref('said'), ref('plan')]
const at = 1_700_000_000_000

function took(taken: Taken): Exclude<Taken, { refusal: unknown }> {
  if ('refusal' in taken) throw new Error(taken.refusal)
  return taken
}
const next = (taken: Taken) => took(taken).conversation
const refusal = (taken: Taken) => ('refusal' in taken ? taken.refusal : undefined)
const statuses = ({ turns }: Conversation) => turns.map(({ status }) => status)

const said = (now: Conversation, turnId: string) => next(say(now, { turnId, saidRef }, at))
const planned = (now: Conversation, turnId: string) =>
  next(answer(now, { turnId, status: 'planned', answerRef: planRef }))
const accepted = (now: Conversation, turnId: string) => next(accept(now, { turnId }))
const begin = (turnId: string): BeginInput => ({
  request: { requestId: turnId, requestRef: ref('request') },
  priority: 'MEDIUM',
  recipe: 'one-day',
})

const one = said(emptyConversation, 'one')
const shown = planned(one, 'one')
const agreed = accepted(shown, 'one')
const running = next(begun(agreed, 'one'))

describe('a turn', () => {
  it('is said, planned, accepted and begun, and carries what was said and shown', () => {
    expect(one).toEqual({
      session: 1,
      turns: [{ turnId: 'one', session: 1, status: 'said', saidRef, at }],
    })
    expect(statuses(shown)).toEqual(['planned'])
    expect(shown.turns[0]).toMatchObject({ saidRef, answerRef: planRef })
    expect(statuses(agreed)).toEqual(['accepted'])
    expect(took(mayBegin(agreed, begin('one'))).conversation).toBe(agreed)
    expect(running.turns).toEqual([
      { turnId: 'one', session: 1, status: 'begun', saidRef, answerRef: planRef, at },
    ])
  })

  it('may end with a question, a refusal, or a no', () => {
    for (const status of ['asked', 'refused'] as const) {
      const over = next(answer(one, { turnId: 'one', status, answerRef: planRef }))
      expect(statuses(over)).toEqual([status])
      expect(refusal(accept(over, { turnId: 'one' }))).toBe('NOT_OPEN')
      expect(refusal(mayBegin(over, begin('one')))).toBe('NOT_OPEN')
    }
    for (const now of [one, shown]) {
      const over = next(answer(now, { turnId: 'one', status: 'dropped' }))
      expect(statuses(over)).toEqual(['dropped'])
      expect(refusal(accept(over, { turnId: 'one' }))).toBe('NOT_OPEN')
    }
  })

  it('is the same turn when anything of it is repeated, however far it has come', () => {
    const dropped = next(answer(shown, { turnId: 'one', status: 'dropped' }))
    for (const now of [one, shown, agreed, running, dropped]) {
      expect(next(say(now, { turnId: 'one', saidRef }, at + 1))).toBe(now)
      expect(next(say(now, { turnId: 'one', saidRef, anew: true }, at + 1))).toBe(now)
    }
    for (const now of [shown, agreed, running, dropped]) {
      expect(planned(now, 'one')).toBe(now)
    }
    for (const now of [agreed, running]) expect(accepted(now, 'one')).toBe(now)
    expect(next(answer(dropped, { turnId: 'one', status: 'dropped' }))).toBe(dropped)
    expect(took(mayBegin(running, begin('one'))).turn.status).toBe('begun')
    expect(next(begun(running, 'one'))).toEqual(running)
  })

  it('does not become another by the same id', () => {
    expect(refusal(say(one, { turnId: 'one', saidRef: ref('other') }, at))).toBe('OTHER_WORDS')
    const other: AnswerInput = { turnId: 'one', status: 'planned', answerRef: ref('other') }
    for (const now of [shown, agreed, running]) expect(refusal(answer(now, other))).toBe('NOT_OPEN')
  })

  it('is not begun without a yes, and a yes is not taken back', () => {
    for (const now of [one, shown]) expect(refusal(mayBegin(now, begin('one')))).toBe('NOT_OPEN')
    expect(refusal(begun(shown, 'one'))).toBe('NOT_OPEN')
    expect(refusal(accept(one, { turnId: 'one' }))).toBe('NOT_OPEN')
    for (const now of [agreed, running]) {
      expect(refusal(answer(now, { turnId: 'one', status: 'dropped' }))).toBe('NOT_OPEN')
    }
  })

  it('is dropped by the next one where nobody has said yes to it, and kept where they have', () => {
    for (const now of [one, shown]) expect(statuses(said(now, 'two'))).toEqual(['dropped', 'said'])
    for (const now of [agreed, running]) {
      expect(statuses(said(now, 'two'))).toEqual([...statuses(now), 'said'])
    }
  })

  it('belongs to the session that it was said in', () => {
    const anew = (now: Conversation, turnId: string) =>
      next(say(now, { turnId, saidRef, anew: true }, at))
    const later = said(anew(running, 'two'), 'three')
    expect(later.session).toBe(2)
    expect(later.turns.map(({ session }) => session)).toEqual([1, 2, 2])
    expect(anew(emptyConversation, 'one').session).toBe(1)
  })
})

describe('what is refused', () => {
  it('is a turn that nobody has said', () => {
    expect(refusal(answer(one, { turnId: 'two', status: 'dropped' }))).toBe('UNKNOWN_TURN')
    const shownTo = { turnId: 'two', status: 'asked', answerRef: planRef } as const
    expect(refusal(answer(one, shownTo))).toBe('UNKNOWN_TURN')
    expect(refusal(accept(one, { turnId: 'two' }))).toBe('UNKNOWN_TURN')
    expect(refusal(mayBegin(one, begin('two')))).toBe('UNKNOWN_TURN')
    expect(refusal(begun(one, 'two'))).toBe('UNKNOWN_TURN')
  })

  it('is whatever has not the shape', () => {
    const house = ['_assistant-cli', 'sched:x:2026', 'one:propose-1-0', 'one:propose-2-15']
    const ids = ['', 'A', ...house, '../x', 'x'.repeat(121), 1, undefined]
    for (const turnId of ids) {
      expect(refusal(say(one, { turnId, saidRef }, at))).toBe('MALFORMED')
      expect(refusal(answer(one, { turnId, status: 'dropped' }))).toBe('MALFORMED')
      expect(refusal(accept(one, { turnId }))).toBe('MALFORMED')
    }
    for (const bad of ['', 'secret words', ref('x').slice(1), 7, null]) {
      expect(refusal(say(one, { turnId: 'two', saidRef: bad }, at))).toBe('MALFORMED')
      const asked = { turnId: 'one', status: 'asked', answerRef: bad }
      expect(refusal(answer(one, asked))).toBe('MALFORMED')
    }
    expect(refusal(say(one, { turnId: 'two', saidRef, anew: 1 }, at))).toBe('MALFORMED')
    for (const status of ['said', 'accepted', 'begun', 'constructor', undefined]) {
      const input = { turnId: 'one', status, answerRef: planRef }
      expect(refusal(answer(one, input))).toBe('MALFORMED')
    }
    const no = { turnId: 'one', status: 'dropped', answerRef: planRef }
    expect(refusal(answer(one, no))).toBe('MALFORMED')
    for (const nothing of [null, undefined]) {
      for (const taken of [
        say(one, nothing, at),
        answer(one, nothing),
        accept(one, nothing),
        mayBegin(one, nothing),
      ]) {
        expect(refusal(taken)).toBe('MALFORMED')
      }
    }
  })

  it('is a run that is no plain request, or that would lie in clear', () => {
    const { request } = begin('one')
    const firing = { schedule: 's', at: 1, zone: 'UTC' }
    const bad: readonly unknown[] = [
      null,
      { ...request, requestId: 'sched:s:2026' },
      { ...request, requestId: 'one:propose-1-0' },
      { ...request, requestRef: 'the words themselves' },
      { ...request, firing },
      { ...request, lane: 'other' },
      { ...request, text: false },
    ]
    for (const one of bad) {
      expect(refusal(mayBegin(agreed, { ...begin('one'), request: one }))).toBe('MALFORMED')
    }
    for (const priority of ['medium', undefined, 3]) {
      expect(refusal(mayBegin(agreed, { ...begin('one'), priority }))).toBe('MALFORMED')
    }
    const recipe = 'call Grandma about the money'
    expect(refusal(mayBegin(agreed, { ...begin('one'), recipe }))).toBe('MALFORMED')
    const text = { ...begin('one'), request: { ...request, lane: 'fast', text: true } }
    expect(refusal(mayBegin(agreed, text))).toBeUndefined()
  })

  it('is more than is kept where everything that is kept waits for its run', () => {
    let now = emptyConversation
    for (let turn = 0; turn < maxTurns; turn += 1) {
      now = accepted(planned(said(now, `t${turn}`), `t${turn}`), `t${turn}`)
    }
    expect(refusal(say(now, { turnId: 'more', saidRef }, at))).toBe('UNFINISHED')
    expect(statuses(said(next(begun(now, 't7')), 'more'))).toEqual([
      ...Array.from({ length: maxTurns - 1 }, () => 'accepted'),
      'said',
    ])
  })
})

describe('any conversation', () => {
  const id = fc.integer({ min: 0, max: 120 }).map((drawn) => `t${drawn}`)
  const newest = fc.constant(undefined)
  const event = fc.record({
    what: fc.constantFrom('say', 'planned', 'asked', 'no', 'yes', 'begin', 'begun'),
    turn: fc.oneof({ weight: 3, arbitrary: newest }, { weight: 1, arbitrary: id }),
    fresh: id,
    anew: fc.boolean(),
  })

  it('forgets no yes, begins nothing without one, and has one turn open at most, the newest', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        let now = emptyConversation
        const yes = new Set<string>()
        const begunOnes = new Set<string>()
        for (const { what, turn, fresh, anew } of events) {
          const turnId = turn ?? now.turns.at(-1)?.turnId ?? fresh
          const before = now.turns.find((other) => other.turnId === turnId)
          const taken = perform(now, { what, turnId: what === 'say' ? fresh : turnId, anew })
          if ('refusal' in taken) continue
          now = taken.conversation
          if (what === 'yes' && before?.status === 'planned') yes.add(turnId)
          if (what === 'begun') begunOnes.add(turnId)
          holds(now, yes, begunOnes)
        }
      }),
      { numRuns: 300 },
    )
  })

  interface Event {
    readonly what: string
    readonly turnId: string
    readonly anew: boolean
  }
  function perform(now: Conversation, { what, turnId, anew }: Event): Taken {
    switch (what) {
      case 'say':
        return say(now, { turnId, saidRef, ...(anew ? { anew: true } : {}) }, at)
      case 'planned':
      case 'asked':
        return answer(now, { turnId, status: what, answerRef: planRef })
      case 'no':
        return answer(now, { turnId, status: 'dropped' })
      case 'yes':
        return accept(now, { turnId })
      case 'begin':
        return mayBegin(now, begin(turnId))
      default:
        return begun(now, turnId)
    }
  }

  function holds(now: Conversation, yes: ReadonlySet<string>, begunOnes: ReadonlySet<string>) {
    const { turns, session } = now
    expect(turns.length).toBeLessThanOrEqual(maxTurns)
    expect(new Set(turns.map(({ turnId }) => turnId)).size).toBe(turns.length)
    const open = (turn: Turn) => turn.status === 'said' || turn.status === 'planned'
    for (const turn of turns.slice(0, -1)) expect(open(turn)).toBe(false)
    for (const turn of turns) {
      expect(turn.session).toBeLessThanOrEqual(session)
      if (turn.status === 'accepted' || turn.status === 'begun') expect(yes).toContain(turn.turnId)
      if (turn.status === 'begun') expect(begunOnes).toContain(turn.turnId)
    }
    for (const turnId of yes) {
      if (begunOnes.has(turnId)) continue
      expect(turns.find((turn) => turn.turnId === turnId)?.status).toBe('accepted')
    }
  }
})
