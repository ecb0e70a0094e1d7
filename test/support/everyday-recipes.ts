// The requests of an ordinary day as recipes, over the agents of everyday-manifests.ts.

import { createCatalogue } from '../../plan/manifest.ts'
import type { KnownNames } from '../../plan/principals.ts'
import { diary, ledger, lights, phone, post, pulse, sky } from './everyday-manifests.ts'

export const catalogue = createCatalogue([diary, ledger, lights, phone, post, pulse, sky])
export const names: KnownNames = {
  people: { owner: ['me@home.example'], Bob: ['bob@example.org'] },
  places: { home: ['Example Street 1'] },
}

/** `plan`: its steps; `inputs`: their declarations. */
export const recipe = (name: string, plan: string, inputs = '{}') => `
name: ${name}
title: ${name}
phrases: []
inputs: ${inputs}
plan:
  version: 1
  goal: ${name}
  steps:
${plan.replaceAll(/^/gm, '    ')}
  answer: { from: [] }
`

export const dim = recipe(
  'dim',
  `- { id: dim, agent: lights, action: set, args: { room: living room, percent: 20 }, at: { local: '22:00' } }`,
)

/** The three o'clock, whose guests the user names. */
export const moveWithBob = recipe(
  'move-with-bob',
  `- { id: found, agent: diary, action: find, args: { query: Bob, day: '2026-11-24' } }
- id: move
  agent: diary
  action: reschedule
  args: { uid: { $from: found#/uid }, start: '2026-11-27T15:00', guests: [bob@example.org] }`,
)

export const moveAlone = recipe(
  'move-alone',
  `- { id: found, agent: diary, action: find, args: { query: dentist, day: '2026-11-24' } }
- id: move
  agent: diary
  action: move
  args: { uid: { $from: found#/uid }, etag: { $from: found#/etag }, start: '2026-11-27T15:00' }`,
)

export const weeklyNumbersTo = (to: string) =>
  recipe(
    'weekly-numbers',
    `- { id: week, agent: ledger, action: week }
- { id: send, agent: mail, action: send, args: { to: [${to}], subject: The week, body: { $from: week#/text } } }`,
  )
export const weeklyNumbers = weeklyNumbersTo('me@home.example')

export const billReminder = recipe(
  'bill-reminder',
  `- { id: due, agent: ledger, action: due }
- id: remind
  agent: phone
  action: push
  args: { text: { $from: due#/text } }
  when: { cel: size(bills) > 0, with: { bills: { $from: due#/bills } } }`,
)

export const pulseAlarm = recipe(
  'pulse-alarm',
  `- { id: pulse, agent: pulse, action: look }
- id: tell
  agent: phone
  action: push
  args: { text: { $from: pulse#/text } }
  when: { cel: unusual, with: { unusual: { $from: pulse#/unusual } } }`,
)

export const mailBob = recipe(
  'mail-bob',
  `- { id: send, agent: mail, action: send, args: { to: [{ $input: to }], subject: Where, body: Example Street 1 } }`,
  '{ to: { type: string } }',
)

/** Whether Bob is told is for the sky to say. */
export const tellBob = (guard: 'rain' | '!rain') =>
  recipe(
    'tell-bob',
    `- { id: sky, agent: sky, action: look }
- id: tell
  agent: mail
  action: send
  args: { to: [bob@example.org], subject: Rain, body: take an umbrella }
  when: { cel: '${guard}', with: { rain: { $from: sky#/rain } } }`,
  )

/** Which of them there are is for the calendar to say. */
export const moveAll = recipe(
  'move-all',
  `- { id: found, agent: diary, action: list, args: { day: '2026-11-24' } }
- id: move
  agent: diary
  action: move
  forEach: { in: { $from: found#/events }, as: event, max: 5 }
  args:
    uid: { $item: /uid, as: event }
    etag: { $item: /etag, as: event }
    start: '2026-11-27T15:00'
- { id: dim, agent: lights, action: set, args: { room: hall, percent: 20 }, needs: [move] }`,
)
