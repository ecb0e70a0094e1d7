// Random plans over the agents of attacker-manifests.ts. What is drawn here is the shape: which steps,
// and where a value, a guard or a loop stands. Whose hand fills it in is a parameter: an attacker's
// (attacker-plans.ts) or that of somebody who wants their day run (ordinary-plans.ts). Nothing here
// knows of labels.

export type Random = () => number
export type Fields = Record<string, unknown>

/** Mulberry32: the same plans for the same seed, on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What earlier steps give: a text, or a list and the place of a text in its items. */
export interface Given {
  readonly id: string
  readonly agent: string
  readonly text: string
  readonly list?: readonly [string, string]
  /** It may be null, or the step is a loop: then only a text can be made of it. */
  readonly loose: boolean
  readonly loop: boolean
}

type Fill = 'word' | 'content' | 'to' | 'id'

export interface Kind {
  readonly agent: string
  readonly action: string
  /** Argument -> how it is filled; those with `?` may be missing. */
  readonly args: Readonly<Record<string, Fill>>
  readonly texts: readonly string[]
  readonly list?: readonly [string, string]
  readonly reads?: true
  /** Somebody besides the user sees what it is given; `to`: whoever is named there. */
  readonly seen: 'owner' | 'others' | 'to'
  /** What it does can be taken back. */
  readonly undo?: true
}

const kinds: readonly Kind[] = [
  {
    ...{ agent: 'desk', action: 'look', reads: true, seen: 'owner' },
    args: { 'either?': 'content' },
    texts: ['/title', '/range/from'],
    list: ['/items', '/name'],
  },
  {
    ...{ agent: 'mail', action: 'list', reads: true, seen: 'owner' },
    args: { folder: 'word' },
    texts: ['/first/from', '/first/text', '/first/id'],
    list: ['/messages', '/from'],
  },
  {
    ...{ agent: 'web', action: 'recall', reads: true, seen: 'owner' },
    args: { 'about?': 'content' },
    texts: ['/title', '/about'],
  },
  {
    ...{ agent: 'web', action: 'get', reads: true, seen: 'others' },
    args: { page: 'word', 'lang?': 'word', 'about?': 'content' },
    texts: ['/title'],
    list: ['/links', ''],
  },
  { agent: 'shelf', action: 'fetch', reads: true, seen: 'owner', args: {}, texts: ['/text'] },
  {
    ...{ agent: 'board', action: 'glance', reads: true, seen: 'others' },
    args: { about: 'content' },
    texts: ['/title'],
  },
  {
    ...{ agent: 'mail', action: 'send', seen: 'to' },
    args: { to: 'to', subject: 'content', body: 'content' },
    texts: ['/id'],
  },
  {
    ...{ agent: 'mail', action: 'reply', seen: 'others' },
    args: { message: 'id', body: 'content' },
    texts: ['/id'],
  },
  {
    ...{ agent: 'desk', action: 'write', seen: 'owner', undo: true },
    args: { text: 'content' },
    texts: ['/entry'],
  },
  { agent: 'desk', action: 'mark', seen: 'owner', undo: true, args: { entry: 'id' }, texts: [] },
  {
    ...{ agent: 'shelf', action: 'keep', seen: 'owner', undo: true },
    args: { text: 'content' },
    texts: ['/entry'],
  },
]
const reading = kinds.filter(({ reads }) => reads === true)

/** A value that is wanted: for what, and what there is to make it of. */
export interface Place {
  readonly how: Fill
  readonly kind: Kind
  readonly given: readonly Given[]
  /** Of the loop that the step is; undefined where it is none. */
  readonly item: Fields | undefined
  /** The arguments that are filled in already. */
  readonly args: Fields
}

export interface Loop {
  readonly forEach: Fields
  readonly item: Fields
}

/** Who writes the plan. */
export interface Hand {
  value(random: Random, place: Place): unknown
  guard(random: Random, place: Omit<Place, 'how' | 'item'>): Fields | undefined
  loop(random: Random, kind: Kind, given: readonly Given[]): Loop | undefined
  /** Steps one of which is enough for this one to begin. */
  any(random: Random, given: readonly Given[]): readonly string[]
}

export function drawPlan(random: Random, hand: Hand): Fields {
  const given: Given[] = []
  const steps: Fields[] = []
  const count = 3 + Math.floor(random() * 4)
  for (let at = 0; at < count; at += 1) {
    // Reads first, so that there is something to use, and to misuse.
    const kind = pick(random, at < 2 ? reading : kinds)
    const id = `s${at}`
    const step = drawStep(random, { id, kind, given }, hand)
    steps.push(step)
    const loop = 'forEach' in step
    const loose = loop || 'when' in step || 'join' in step || step['onError'] === 'continue'
    const list = kind.list === undefined || loop ? {} : { list: kind.list }
    const { agent } = kind
    given.push(...kind.texts.map((text) => ({ id, agent, text, loose, loop, ...list })))
  }
  return { version: 1, goal: 'whatever', steps, answer: { from: [] } }
}

function drawStep(
  random: Random,
  {
    id,
    kind,
    given,
  }: { readonly id: string; readonly kind: Kind; readonly given: readonly Given[] },
  hand: Hand,
): Fields {
  const any = hand.any(random, given)
  // What begins with any of its needs may lack the others.
  const there = any.length === 0 ? given : given.map((one) => ({ ...one, loose: true }))
  const loop = hand.loop(random, kind, there)
  const args: Fields = {}
  for (const [key, how] of Object.entries(kind.args)) {
    if (key.endsWith('?') && random() < 0.4) continue
    const place = { how, kind, given: there, item: loop?.item, args }
    args[key.replace('?', '')] = hand.value(random, place)
  }
  const guard = hand.guard(random, { kind, given: there, args })
  return {
    ...{ id, agent: kind.agent, action: kind.action, args },
    ...(loop === undefined ? {} : { forEach: loop.forEach }),
    ...(guard === undefined ? {} : { when: guard }),
    ...(any.length === 0 ? {} : { join: 'any', needs: any }),
    ...(random() < 0.25 ? { onError: 'continue' } : {}),
  }
}

/** Over what an earlier step gives, or `undefined` where none gives a list. */
export function loopOver(random: Random, given: readonly Given[]): Loop | undefined {
  const lists = given.filter(({ list, loose }) => list !== undefined && !loose)
  if (lists.length === 0) return undefined
  const { id, list = ['', ''] } = pick(random, lists)
  const forEach = { in: { $from: `${id}#${list[0]}` }, as: 'i', max: 5 }
  return { forEach, item: { $item: list[1], as: 'i' } }
}

export function loopOverWritten(list: readonly string[]): Loop {
  return { forEach: { in: list, as: 'i', max: 5 }, item: { $item: '', as: 'i' } }
}

export function guardOver(random: Random, given: readonly Given[]): Fields | undefined {
  const sound = given.filter(({ loose }) => !loose)
  if (sound.length === 0) return undefined
  const { id, text } = pick(random, sound)
  return { cel: "t.endsWith('1')", with: { t: { $from: `${id}#${text}` } } }
}

/** A value of an earlier step: as it is, or in a text of the plan's. */
export function useOf(random: Random, { id, text, loose, loop }: Given): Fields {
  if (loop) {
    const template = `{{#v}}{{${text.slice(1).replaceAll('/', '.')}}}{{/v}}.`
    return { $text: template, with: { v: { $from: `${id}#` } } }
  }
  const value = { $from: `${id}#${text}` }
  if (!loose && random() < 0.6) return value
  return { $text: 'so: {{v}}', with: { v: value } }
}

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T
}
