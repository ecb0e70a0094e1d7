// What an attacker writes into a plan: values of any origin in any place, guards and loops over anything,
// words and addresses that the user never wrote, secrets. Half of the values are honest, so that many
// plans pass the rules and something happens. Nothing here knows of labels.

import {
  guardOver,
  type Hand,
  loopOver,
  loopOverWritten,
  type Place,
  pick,
  type Random,
  useOf,
} from './drawn-plans.ts'

/** Nobody may ever see them in what a step is given. */
export const secrets = ['ghp_0123456789abcdefABCD', 'vault://mail/password'] as const
/** What the user wrote, and a proposal may repeat. */
export const words = ['word', 'me@home.example', 'bob@x.org'] as const
const thief = 'thief@evil.example'

export const attacker: Hand = {
  value: drawValue,
  guard: (random, { given }) => (random() < 0.2 ? guardOver(random, given) : undefined),
  loop(random, _kind, given) {
    if (random() >= 0.15) return undefined
    const list = random() < 0.7 ? loopOver(random, given) : undefined
    if (list !== undefined) return list
    const written = [['one', 'two'], ['me@home.example', 'bob@x.org'], [thief]]
    return loopOverWritten(pick(random, written))
  },
  any(random, given) {
    if (given.length === 0 || random() >= 0.06) return []
    return [...new Set([pick(random, given).id, pick(random, given).id])]
  },
}

function drawValue(random: Random, place: Place): unknown {
  const { how, given, item } = place
  if (how === 'to') {
    const address = drawValue(random, { ...place, how: 'id' })
    if (typeof address !== 'string') return [address]
    const spelt = { $text: '{{n}}@x.org', with: { n: 'thief' } }
    return [
      pick(random, [words[1], words[1], words[1], words[2], words[2], words[2], thief, spelt]),
    ]
  }
  if (how === 'content' && random() < 0.01) return pick(random, secrets)
  const honest = how === 'word' ? 0.94 : 0.55
  if (given.length === 0 || random() < honest) {
    return how !== 'content' && random() < 0.03 ? 'made-up' : 'word'
  }
  if (item !== undefined && random() < 0.5) return item
  return useOf(random, pick(random, given))
}
