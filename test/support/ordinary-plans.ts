// The twin of attacker-plans.ts: the same steps in the hand of somebody who wants their day run. They
// write their own words, mail themselves and now and then Bob, keep what they read, and have reminders
// depend on it. Seldom, as people do, they want what the rules refuse: what each of these habits is
// stands beside its share. Nothing here knows of labels.

import {
  type Fields,
  type Given,
  guardOver,
  type Hand,
  type Kind,
  loopOver,
  loopOverWritten,
  type Place,
  pick,
  type Random,
  useOf,
} from './drawn-plans.ts'

const self = 'me@home.example'
const bob = 'bob@x.org'

/** How often a person wants what is refused, each by itself. */
export interface Wishes {
  /** The page that an earlier page names. */
  readonly followALink: number
  /** Bob, or a server, is to see what only the user may know. */
  readonly tellOthers: number
  /** Others are asked or told only if an answer says so. */
  readonly dependOnAnswers: number
  /** A mail for each item of a list, even to oneself. */
  readonly repeatMail: number
}

export const none: Wishes = { followALink: 0, tellOthers: 0, dependOnAnswers: 0, repeatMail: 0 }
/** One value, guard or loop in fifty of those that could be one. */
export const seldom: Wishes = {
  followALink: 0.02,
  tellOthers: 0.02,
  dependOnAnswers: 0.02,
  repeatMail: 0.02,
}

export function ordinary(wishes: Wishes): Hand {
  return {
    value: (random, place) => valueFor(random, place, wishes),
    guard(random, { kind, given, args }) {
      const share = isOwn(kind, args) ? 0.1 : wishes.dependOnAnswers
      return random() < share ? guardOver(random, given) : undefined
    },
    loop(random, kind, given) {
      if (kind.undo === true && kind.action !== 'mark') {
        return random() < 0.2 ? loopOver(random, given) : undefined
      }
      if (kind.seen === 'to' && random() < wishes.repeatMail) return loopOver(random, given)
      return kind.reads === true && random() < 0.05 ? loopOverWritten(['one', 'two']) : undefined
    },
    any: () => [],
  }
}

function valueFor(random: Random, place: Place, wishes: Wishes): unknown {
  const { how, kind, given, item, args } = place
  switch (how) {
    case 'to':
      return [random() < 0.75 ? self : bob]
    case 'word':
      return given.length > 0 && random() < wishes.followALink
        ? useOf(random, pick(random, given))
        : 'word'
    case 'id':
      return idFor(random, kind, given)
    case 'content': {
      const own = isOwn(kind, args)
      if (own && item !== undefined && random() < 0.8) return item
      const uses = given.length > 0 && random() < (own ? 0.7 : wishes.tellOthers)
      return uses ? useOf(random, pick(random, given)) : 'word'
    }
  }
}

/** Nobody but the user sees what the step is given. */
function isOwn(kind: Kind, args: Fields): boolean {
  return kind.seen === 'owner' || JSON.stringify(args['to']) === JSON.stringify([self])
}

/** What the same agent gave, to answer or to mark. */
function idFor(random: Random, kind: Kind, given: readonly Given[]): unknown {
  const wanted = kind.action === 'reply' ? '/first/id' : '/entry'
  const own = given.filter((one) => one.agent === kind.agent && one.text === wanted && !one.loose)
  return own.length === 0 ? 'word' : { $from: `${pick(random, own).id}#${wanted}` }
}
