// May this step run at all? A small built-in rule set until policies are written in Rego; this
// function is the seam they will stand behind. Rules only ever allow, and what no rule allows is
// denied: an effect class that nobody thought of is refused by absence.

import type { Audience, Effect } from './manifest.ts'

export interface StepQuestion {
  readonly agent: string
  readonly action: string
  readonly effect: Effect
  readonly audience: Audience
  /** Ids of the agent's declared hosts that the action may ask; absent: it may ask none. */
  readonly egress?: readonly string[]
  /** The action declares, or the step names, how its effect is taken back. */
  readonly hasUndo: boolean
  /** `undo`: the step takes back an effect of an admitted plan. */
  readonly kind: 'do' | 'undo'
}

export type Decision =
  | { readonly allow: true; readonly rules: readonly string[] }
  | {
      readonly allow: false
      /** Rules that were asked and did not allow it. */
      readonly rules: readonly string[]
      /** What would have to be there for it to be allowed. */
      readonly missing: string
    }

export type Decide = (question: StepQuestion) => Decision

interface Rule {
  readonly id: string
  allows(question: StepQuestion): boolean
}

const rules: readonly Rule[] = [
  {
    id: 'read.owner',
    allows: (asked) => asked.kind === 'do' && asked.effect === 'read' && asked.audience === 'owner',
  },
  {
    id: 'write.undoable',
    allows: (asked) =>
      asked.kind === 'do' &&
      asked.effect === 'write' &&
      asked.audience === 'owner' &&
      asked.hasUndo,
  },
  {
    // What it sends goes to hosts that the manifest declares and nowhere else: the gateway holds each
    // request to the declaration's methods, paths and bindings.
    id: 'egress.declared',
    allows: (asked) =>
      asked.kind === 'do' &&
      asked.effect === 'egress' &&
      isDeclaredHost(asked.audience, asked.egress),
  },
  {
    // Asked of the undo's own action: a plan that was admitted does not make every action harmless
    // that some manifest names as an undo.
    id: 'undo.write',
    allows: (asked) =>
      asked.kind === 'undo' && asked.effect === 'write' && asked.audience === 'owner',
  },
]

function isDeclaredHost(audience: Audience, ids: readonly string[] = []): boolean {
  // An id is a name that a manifest gives; one called like the widest audience would read as it.
  if (typeof audience !== 'object' || !('host' in audience) || ids.includes('PUBLIC')) return false
  return ids.includes(audience.host)
}

/** Default deny. */
export const decide: Decide = (question) => {
  const allowing = rules.filter((rule) => rule.allows(question)).map((rule) => rule.id)
  if (allowing.length > 0) return { allow: true, rules: allowing }
  return { allow: false, rules: rules.map((rule) => rule.id), missing: missingFor(question) }
}

const known: ReadonlySet<string> = new Set<Effect>(['read', 'write', 'egress', 'irreversible'])

function missingFor({ agent, action, effect, audience, kind }: StepQuestion): string {
  const name = `${agent}.${action}`
  if (effect === 'irreversible') {
    return `${name} cannot be undone and needs a person's approval, which this version cannot ask for`
  }
  if (!known.has(effect)) return `a rule for the effect class of ${name}`
  if (effect === 'egress') {
    return `an audience of ${name} that is one of the hosts it declares: { host: <egress id> }`
  }
  if (audience !== 'owner') return `a rule for what people other than the owner see of ${name}`
  if (kind === 'undo') return `an undo that writes; ${name} does not`
  return `an undo for ${name}`
}
