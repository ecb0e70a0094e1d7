// What people ask a house for and nothing here can do. Data: phrases as in recipes, `{x}` being anything.
// They only choose the words of a refusal: a request is never run because none of them fits. Whoever adds
// an agent takes its phrases out here (a test holds them against those of the recipes).

import type { RefusalReason } from './contract.ts'

export interface Beyond {
  readonly reason: Exclude<RefusalReason, 'NOT_UNDERSTOOD'>
  readonly text: string
  readonly phrases: readonly string[]
}

const money =
  '(euro|euros|eur|€|dollar|dollars|usd|$|pound|pounds|gbp|£|francs|cents|bucks|money|bitcoin)'

export const beyond: readonly Beyond[] = [
  {
    reason: 'MOVES_MONEY',
    text: 'nothing here can pay, buy, sell or transfer: accounts are only read',
    phrases: [
      'pay {x}',
      '(transfer|wire|invest|donate|withdraw|deposit) {x}',
      `(send|give|lend) {x} ${money} [{y}]`,
      '(buy|sell|order|purchase|rent) {x}',
    ],
  },
  {
    reason: 'NO_ACTION',
    text: 'no agent here switches lights, heating, plugs or other devices',
    phrases: [
      '(turn|switch) (on|off|up|down) {x}',
      '(turn|switch) {x} (on|off|up|down)',
      '(turn|switch) {x} (on|off|up|down) {y}',
      '(dim|brighten|heat|cool|vacuum|clean|charge|unplug) {x}',
      '(set|change) (heating|thermostat|temperature|lights|volume|alarm) {x}',
      '(start|stop) (dishwasher|washing machine|robot|vacuum|car|heating|oven|tv) [{x}]',
    ],
  },
  {
    reason: 'NO_ACTION',
    text: 'no agent here opens, closes or locks anything',
    phrases: [
      '(lock|unlock) {x}',
      '(open|close|shut) (door|front door|garage|window|windows|blinds|shutters|gate) [{x}]',
    ],
  },
  {
    reason: 'NO_ACTION',
    text: 'no agent here writes or reads messages, and none makes calls',
    phrases: [
      '(send|write to) {x}',
      'write {x} (email|mail|message|letter|text) [{y}]',
      '(email|mail|text|message|sms|whatsapp|call|phone|ring|dial|reply|answer|forward|post|tweet) {x}',
      '(read|check|show) [me] (email|emails|mail|mails|messages|inbox)',
      '(do|have) i (have|got) (mail|emails|messages|new mail|new emails|new messages)',
    ],
  },
  {
    reason: 'NO_ACTION',
    text: 'no agent here plays or shows anything',
    phrases: ['(play|pause|skip|stream|watch) {x}', 'put on {x} (music|song|film|movie)'],
  },
  {
    reason: 'NO_ACTION',
    text: 'no agent here books, reserves or looks things up elsewhere',
    phrases: [
      '(book|reserve|translate|google|search web for|look up) {x}',
      '(who|where) is {x}',
      'how do i get to {x}',
    ],
  },
  {
    reason: 'NO_ACTION',
    text: 'nothing here takes that much away at a word: delete it where it lies',
    phrases: ['(delete|erase|wipe|remove|destroy|empty|clear) {x}'],
  },
]
