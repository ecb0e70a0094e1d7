// What a planner is told of a conversation: earlier words of the same person, and the handles of what came of
// them, with type and label. Of a result itself nothing is here. Who may know that something was said, or is
// there, is judged as rule R2 judges the thing itself: a model of the house is told of what is private, a
// provider's is not. Pure, and the same in worker and notary.

import type { Pins } from './handle.ts'
import { labelOfHandle } from './handle-label.ts'
import { type Label, mayBeSeenBy, written } from './labels.ts'
import type { ActionManifest, Catalogue } from './manifest.ts'
import { isPassedOn, providers } from './model-prices.ts'
import { modelAgent, resultWords } from './offered-actions.ts'
import type { PlannerModel } from './planner-models.ts'
import { audienceOf, nobody } from './principals.ts'
import type { Readers } from './readers.ts'

/** One earlier turn, as the notary has it. */
export interface ToldTurn {
  /** As the person said it, on one line. */
  readonly words: string
  /** Who may be told that it was said. */
  readonly readers: Readers
  /** What came of it and is still there, by handle. */
  readonly handles: Pins
}

/** An earlier result as a model is told of it. */
export interface ToldHandle {
  readonly handle: string
  /** The action, and its result in a few words of type. */
  readonly type: string
  readonly label: string
  /** What the person had said; empty where that is not for this model. */
  readonly said: string
}

interface Told {
  /** The oldest first. */
  readonly words: readonly string[]
  readonly handles: readonly ToldHandle[]
}

/** Enough to know a turn again, of which all is told beside it. */
const maxSaid = 80

export function tellTo(
  model: Pick<PlannerModel, 'provider' | 'model'>,
  turns: readonly ToldTurn[],
  catalogue: Catalogue,
): Told {
  const audience = audienceOfModel(model, catalogue)
  const mayKnow = (label: Label) => mayBeSeenBy(label, audience)
  const isSaidTo = ({ readers }: ToldTurn) => mayKnow({ ...written, readers })
  return {
    words: turns.filter(isSaidTo).map(({ words }) => words),
    handles: turns.flatMap((turn) =>
      Object.keys(turn.handles).flatMap((handle): ToldHandle[] => {
        const label = labelOfHandle({ step: handle, tokens: [] }, turn.handles, catalogue)
        const type = typeOf(handle, turn.handles, catalogue)
        if (type === undefined || !mayKnow(label)) return []
        const said = isSaidTo(turn) ? turn.words.slice(0, maxSaid).toWellFormed() : ''
        return [{ handle, type, label: labelWords(label), said }]
      }),
    ),
  }
}

/** Of a server of the house that passes questions on nobody knows who reads them. */
function audienceOfModel(
  { provider, model }: Pick<PlannerModel, 'provider' | 'model'>,
  catalogue: Catalogue,
): Readers {
  const agent = catalogue.get(modelAgent)
  const known = providers.find((one) => one === provider)
  if (agent === undefined || known === undefined) return 'PUBLIC'
  if (isPassedOn({ provider: known, model })) return 'PUBLIC'
  return audienceOf({ hostOf: '/provider' }, agent, { names: nobody, valuesOf: () => [known] })
}

function typeOf(handle: string, pins: Pins, catalogue: Catalogue): string | undefined {
  const pin = pins[handle]
  const actions: Readonly<Record<string, ActionManifest>> =
    (pin && catalogue.get(pin.agent)?.actions) ?? {}
  const action =
    pin !== undefined && Object.hasOwn(actions, pin.action) ? actions[pin.action] : undefined
  if (pin === undefined || action === undefined) return undefined
  return `${pin.agent}.${pin.action}: ${resultWords(action)}`
}

/** In two words and never by name: who may read a thing says whom the person knows. */
function labelWords({ integrity, readers }: Label): string {
  const trust = integrity === 'UNTRUSTED' ? 'untrusted' : 'trusted'
  return `${readers === 'PUBLIC' ? 'public' : 'private'}, ${trust}`
}
