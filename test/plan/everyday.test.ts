// The requests of an ordinary day pass the flow rules, and those of them that pass only because a person
// enables them say so. What the policy asks besides is not the flow's question; here it allows everything.
// test/notary/everyday.test.ts counts what a person is asked by both.

import { describe, expect, it } from 'vitest'
import { catalogue as real } from '../../agents/catalogue.ts'
import { type CompileResult, compileSource } from '../../plan/compile.ts'
import { type Catalogue, createCatalogue } from '../../plan/manifest.ts'
import { findRecipe } from '../../planner/recipes.ts'
import { post } from '../support/everyday-manifests.ts'
import {
  billReminder,
  dim,
  catalogue as everyday,
  mailBob,
  moveAlone,
  moveWithBob,
  names,
  pulseAlarm,
  recipe,
  weeklyNumbers,
  weeklyNumbersTo,
} from '../support/everyday-recipes.ts'

const withMail = createCatalogue([...real.values(), post])
const bob = 'bob@example.org'

function compile(source: string, catalogue: Catalogue = everyday): CompileResult {
  const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
  const inputs = source === mailBob ? { to: bob } : {}
  return compileSource({ kind: 'recipe', source, inputs, catalogue, decide, names })
}

/** Steps that a person enables, or why the plan is refused. */
function asked(result: CompileResult): readonly string[] {
  return result.ok ? result.report.approvals : result.issues.map(({ code, path }) => code + path)
}

const mailed = (agent: string, action: string, args: string, part: string) =>
  recipe(
    'mailed',
    `- { id: read, agent: ${agent}, action: ${action}, args: ${args} }
- id: send
  agent: mail
  action: send
  args:
    to: [${bob}]
    subject: As you asked
    body: { $text: "{{v}}", with: { v: { $from: "read#${part}" } } }`,
  )

describe('an ordinary day', () => {
  it.each([
    ['the morning briefing', findRecipe('morning-briefing')?.source ?? '', real],
    ['dimming the living room', dim, everyday],
    ['moving an event without guests', moveAlone, everyday],
    ['moving one with guests whom the user names', moveWithBob, everyday],
    ['mailing the user their numbers', weeklyNumbers, everyday],
    ['mailing Bob the address that the user wrote', mailBob, everyday],
  ])('has %s pass as it is', (_, source, catalogue) => {
    expect(asked(compile(source, catalogue))).toEqual([])
  })

  it('has reminders pass that a person enables', () => {
    expect(asked(compile(billReminder))).toEqual(['remind'])
    expect(asked(compile(pulseAlarm))).toEqual(['tell'])
  })

  it('mails the numbers to nobody else, and tells guests only whom the user names', () => {
    expect(asked(compile(weeklyNumbersTo(bob)))).toEqual(['FLOW_R2/plan/steps/1/args/body'])
    // Who is told is never read out of the event.
    const guests = moveWithBob.replace(`[${bob}]`, '[{ $from: found#/summary }]')
    expect(asked(compile(guests))).toEqual(['FLOW_R1/plan/steps/1/args/guests/0'])
  })

  it('tells Bob the weather of a place that the user wrote, and not what the user reads', () => {
    const place = '{ place: { lat: 48.2, lon: 16.4 } }'
    expect(asked(compile(mailed('weather', 'now', place, '/summary'), withMail))).toEqual([])
    expect(asked(compile(mailed('feeds', 'fetch_new', '{}', '/count'), withMail))).toEqual([
      'FLOW_R2/plan/steps/1/args/body',
    ])
  })
})
