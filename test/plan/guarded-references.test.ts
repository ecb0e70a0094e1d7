// A value that may be absent is taken where the step's guard reads it, and nowhere else; whether the guard
// asks the right question is not for the compiler to say, and the notary refuses what is absent then.

import { expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'

const planWith = (when: string, args: Readonly<Record<string, string>> = {}) => {
  const given = { uid: '{ $from: "found#/event/uid" }', ...args }
  const source = `version: 1
goal: g
steps:
  - { id: found, agent: calendar, action: find, args: { at: "2026-11-24" } }
  - { id: other, agent: calendar, action: find, args: { at: "2026-11-25" } }
  - id: moved
    agent: calendar
    action: update
    ${when}
    args:
      calendar: work
      uid: ${given.uid}
      scope: this
      ifMatch: "${'0'.repeat(43)}"
      patch: { start: "2026-11-27T15:00" }
answer: { from: [] }
`
  const result = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  return result.ok ? [] : result.issues.map(({ code, path }) => `${code} ${path}`)
}
const guard = (cel: string, reference: string) =>
  `when: { cel: "${cel}", with: { it: { $from: "${reference}" } } }`
const refused = ['INVALID_ARGUMENT /steps/2/args/uid']

test.each([
  ['the value itself', guard('it != null', 'found#/event/uid')],
  ['what it is part of', guard('it != null', 'found#/event')],
  ['the whole result', guard("it.found == 'one'", 'found#')],
])('a value that may be null is taken under a guard that reads %s', (_what, when) => {
  expect(planWith(when)).toEqual([])
})

test.each([
  ['no guard', ''],
  ['a guard that reads another part', guard('it != null', 'found#/event/etag')],
  ['a guard that reads a part of it only by its name', guard('it != null', 'found#/eve')],
  ['a guard that reads another step', guard('it != null', 'other#/event')],
  ['a guard that reads nothing', 'when: { cel: "true" }'],
])('a value that may be null is refused under %s', (_what, when) => {
  expect(planWith(when)).toEqual(expect.arrayContaining(refused))
})

test.each(['count', 'event/allDay'])(
  'a value of the wrong kind is refused under any guard: %s',
  (at) => {
    const uid = `{ $from: "found#/${at}" }`
    expect(planWith(guard('it != null', 'found#'), { uid })).toEqual(refused)
  },
)
