// What a person reads before they decide: the card in words. Pure, and made of the card alone, so that
// nothing is shown that is not signed. Whatever somebody else wrote is a quotation (quotation.ts). Long
// values and lists are cut, and say by how much; `whole` shows them to their end. Does not judge: what
// the arguments do to the world, the actions' own words say.

import type { Card, CardAsk, CardCondition, CardStep } from './card.ts'
import { toPointer } from './pointer.ts'
import { isPlain, quote, spellOut } from './quotation.ts'
import type { Json } from './schema.ts'

export interface CardView {
  /** All of every value, however long. */
  readonly whole: boolean
}

interface Bounds {
  readonly characters: number
  readonly items: number
  readonly leaves: number
}

/** A screen or two: who does not read to the end has not decided. */
const brief: Bounds = { characters: 300, items: 10, leaves: 24 }
const whole: Bounds = { characters: 1_000_000, items: 1_000_000, leaves: 1_000_000 }
/** Of what is only told around it. */
const maxName = 120

/** Lines for a terminal; each is one line whatever the card says. */
export function cardWords(card: Card, view: CardView = { whole: false }): readonly string[] {
  const bounds = view.whole ? whole : brief
  const steps = new Map(card.plan.steps.map((step) => [step.id, step]))
  return [
    `${subjectWords(card)} for ${card.user}`,
    `plan ${quote(card.plan.name, maxName)}: ${quote(card.plan.goal, bounds.characters)}`,
    '',
    ...card.asks.flatMap((ask) => askLines(ask, { card, step: steps.get(ask.step), bounds })),
    'the whole plan:',
    ...card.plan.steps.map((step) => stepLine(step, card)),
    '',
    ...changeLines(card),
    `unanswered it counts as denied from ${time(card.expiresAt)} on`,
  ]
}

function subjectWords({ subject, asks }: Card): string {
  switch (subject.is) {
    case 'plan':
      return `before anything of run ${subject.request} begins,`
    case 'step': {
      const { step, iteration, rerun, request } = subject
      const nth = iteration === 0 ? '' : `:${iteration}`
      const again = rerun === 0 ? '' : `, for the ${rerun + 1}th time,`
      return `step ${step}${nth}${again} of run ${request}, as it will be sent,`
    }
    case 'list': {
      const [ask] = asks
      const often = Array.isArray(ask?.args) ? `${ask.args.length} times` : 'once for each item'
      return `step ${subject.step} of run ${subject.request}, ${often}, as it will be sent,`
    }
    case 'schedule':
      return `every time that schedule ${subject.schedule} is due, until it is removed,`
  }
}

function askLines(
  ask: CardAsk,
  about: {
    readonly card: Card
    readonly step: CardStep | undefined
    readonly bounds: Bounds
  },
): readonly string[] {
  const { card, step, bounds } = about
  const isList = card.subject.is === 'list' && Array.isArray(ask.args)
  const items: readonly Json[] = isList ? (ask.args as readonly Json[]) : [ask.args]
  const shown = items.slice(0, bounds.items)
  const hidden = items.length - shown.length
  const lines = shown.flatMap((args, index) => {
    if (isList && args === null) return [`  ${index + 1}. is left out: its condition is not met`]
    const values = argumentLines(args, ask, about)
    return isList ? [`  ${index + 1}.`, ...values.map((line) => `  ${line}`)] : values
  })
  return [
    `! ${ask.step}  ${step?.action ?? 'an action that the plan does not have'}  ${effectWords(step)}`,
    `  seen by ${audienceWords(ask, bounds)}`,
    ...lines,
    ...(hidden > 0 ? [`  and ${hidden} more of them`] : []),
    ...(ask.conditions ?? []).flatMap((condition) => conditionLines(condition, bounds)),
    `  asked because of ${ask.rules.join(', ')}`,
    '',
  ]
}

const deciders: Readonly<Record<CardCondition['by'], string>> = {
  when: 'that it happens',
  forEach: 'how often it happens, and with what,',
  join: 'that it happens by now',
}

/** What an agent said that makes it happen: the question is whether that is reason enough. */
function conditionLines(
  { by, cel, from, values }: CardCondition,
  bounds: Bounds,
): readonly string[] {
  const origins = from.slice(0, bounds.items).map((one) => quote(one, maxName))
  const guard = cel === null ? '' : `: only if ${quote(cel, bounds.characters)}`
  const leaves = Object.entries(values).flatMap(([name, value]) => leavesOf(value, false, [name]))
  const hidden = leaves.length - bounds.leaves
  return [
    `  ${deciders[by]} is decided by ${origins.join(', ')}${guard}`,
    ...leaves.slice(0, bounds.leaves).map(({ pointer, value }) => {
      return `    ${nameOf(pointer)} was ${valueWords(value, { bounds, isClear: true })}`
    }),
    ...(hidden > 0 ? [`    and ${hidden} more values`] : []),
  ]
}

/** What an effect does to the world, for whoever has to let it happen. */
export function effectWords(step: Pick<CardStep, 'effect' | 'reversible'> | undefined): string {
  if (step === undefined) return 'UNKNOWN'
  if (step.effect === 'read') return 'only reads'
  if (step.effect === 'egress') return 'sends something out, which CANNOT be taken back'
  return step.reversible ? `${step.effect}, can be undone` : `${step.effect}, CANNOT be undone`
}

function audienceWords({ audience }: CardAsk, { characters, items }: Bounds): string {
  if (audience === 'PUBLIC') return 'ANYBODY'
  if (audience.length === 0) return 'nobody but the house'
  const shown = audience.slice(0, items).map((one) => quoteClearly(one, characters))
  const hidden = audience.length - shown.length
  return `${shown.join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`
}

interface Leaf {
  readonly pointer: string
  readonly value: Json
}

function argumentLines(
  args: Json,
  { decides }: CardAsk,
  { card, bounds }: { readonly card: Card; readonly bounds: Bounds },
): readonly string[] {
  // Elsewhere what looks like a form of a plan is a value that somebody wrote.
  const leaves = leavesOf(args, card.subject.is === 'schedule')
  const origins = [...decides].sort((one, other) => other.pointer.length - one.pointer.length)
  const shown = leaves.slice(0, bounds.leaves)
  const hidden = leaves.length - shown.length
  return [
    ...shown.map(({ pointer, value }) => {
      const origin = origins.find((one) => isWithin(pointer, one.pointer))
      const told = valueWords(value, { bounds, isClear: origin !== undefined })
      const from = origin === undefined ? '' : `   <- ${originWords(origin.from)}`
      return `  ${nameOf(pointer)}: ${told}${from}`
    }),
    ...(hidden > 0 ? [`  and ${hidden} more values`] : []),
  ]
}

function originWords(from: string): string {
  if (from === 'written') return 'written in the plan'
  // What R9 asks about: a person has to look at this, and at nothing else so closely.
  return from === 'proposed'
    ? 'PROPOSED by a planner, not said by you'
    : `from ${quote(from, maxName)}`
}

function isWithin(pointer: string, above: string): boolean {
  return pointer === above || pointer.startsWith(`${above}/`)
}

/** `to`, `attendees/0/email`: of an object that an agent returned, keys are its own words. */
function nameOf(pointer: string): string {
  const name = pointer.slice(1)
  return /^[A-Za-z0-9_/-]{1,120}$/.test(name) ? name : quote(name, maxName)
}

function leavesOf(value: Json, hasForms: boolean, path: readonly string[] = []): readonly Leaf[] {
  const isBranch = typeof value === 'object' && value !== null
  const isForm = hasForms && isBranch && Object.keys(value).some((key) => key.startsWith('$'))
  if (!isBranch || isForm || Object.keys(value).length === 0) {
    return [{ pointer: toPointer(path), value }]
  }
  return Object.entries(value).flatMap(([key, below]) => leavesOf(below, hasForms, [...path, key]))
}

function valueWords(
  value: Json,
  { bounds, isClear }: { readonly bounds: Bounds; readonly isClear: boolean },
): string {
  if (typeof value === 'string') {
    return isClear ? quoteClearly(value, bounds.characters) : quote(value, bounds.characters)
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (Object.keys(value).length === 0) return Array.isArray(value) ? 'none' : 'nothing'
  if ('$from' in value) return `what ${quote(String(value['$from']), maxName)} will be`
  if ('$handle' in value) return `what ${quote(String(value['$handle']), 2 * maxName)} returned`
  if ('$item' in value) return `what each item says at ${quote(String(value['$item']), maxName)}`
  return `a text made of ${quote(JSON.stringify(value), bounds.characters)}`
}

/** Of what decides who or what: letters that look alike are told apart. */
function quoteClearly(text: string, maxCharacters: number): string {
  const quoted = quote(text, maxCharacters)
  return isPlain(text) ? quoted : `${quoted} (spelled ${spellOut(text.slice(0, maxCharacters))})`
}

function stepLine({ id, action, effect, needs, when, repeats }: CardStep, { asks }: Card): string {
  const mark = asks.some(({ step }) => step === id) ? '!' : ' '
  const after = needs.length === 0 ? '' : `, after ${needs.join(', ')}`
  const guard = when === null ? '' : `, only if ${quote(when, maxName)}`
  const often = repeats === null ? '' : `, up to ${repeats} times`
  return `${mark} ${id}  ${action}  ${effect}${after}${guard}${often}`
}

function changeLines({ changes }: Card): readonly string[] {
  if (changes === null) return ['nothing of this name was approved before']
  if (changes.length === 0) return ['the plan is the one that was approved last']
  const told = changes.map((change) => `- ${quote(change, 2 * maxName).slice(1, -1)}`)
  return ['different from what was approved last:', ...told]
}

function time(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? 'an impossible time' : date.toISOString().slice(0, 16)
}
