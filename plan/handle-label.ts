// How far an earlier result is trusted, and who may see it. What the manifest says of the field, as of any
// result, joined with what its step was given then: a label is not washed off by waiting, nor by going
// through another request. Pure.

import type { Pins } from './handle.ts'
import { joinAll, type Label, labelOfField, unknown } from './labels.ts'
import type { Catalogue } from './manifest.ts'
import { type Reference, toPointer } from './pointer.ts'

/**
 * Label of a part of an earlier result. As untrusted as any result: that it lay there for a while, and that
 * its owner has seen it, vouches for nothing. A plan without any pins is one that is looked at without a
 * platform: who may see it only the notary can tell, which pins what it compiles.
 */
export function labelOfHandle(
  { step: handle, tokens }: Reference,
  pins: Pins | undefined,
  catalogue: Catalogue,
): Label {
  const from: Label = { ...unknown, provenance: [`${handle}#${toPointer(tokens)}`] }
  if (pins === undefined) return { ...from, readers: 'PUBLIC' }
  const pin = Object.hasOwn(pins, handle) ? pins[handle] : undefined
  if (pin === undefined) return from
  const actions = catalogue.get(pin.agent)?.actions ?? {}
  const action = Object.hasOwn(actions, pin.action) ? actions[pin.action] : undefined
  if (action === undefined) return from
  const { readers, agents } = pin
  const given: Label = { ...from, readers, agents }
  const own: Label = { ...from, readers: 'PUBLIC', agents: [pin.agent] }
  return joinAll([given, own, labelOfField(action, tokens)])
}
