// Handlers under arguments that nobody would write: drawn from their schemas, and examples with one
// argument replaced. Whatever comes, a handler answers in time, with a result as declared or with a code;
// reads and dry runs change nothing, and who says that nothing happened has changed nothing.

import fc from 'fast-check'
import type { EgressCode } from '../../egress/contract.ts'
import { type JsonSchema, toJsonSchema } from '../../plan/json-schema.ts'
import { limits } from '../../plan/limits.ts'
import { isObject } from '../../plan/pointer.ts'
import { CanonicalJsonError, canonicalJson } from '../../security/verify/canonical-json.ts'
import { prepare } from './call.ts'
import { type Checked, type Example, type OpenCase, withCase } from './cases.ts'
import { argumentsOf, awkwardTexts, textNamesOf } from './draw.ts'
import { digestOf } from './world.ts'

export interface FuzzOptions {
  /** Same seed, same arguments. */
  readonly seed: number
  /** Arguments drawn for each action; those that its parser refuses are among them. */
  readonly draws: number
}

/** Refusals that no argument brings about: the handler asks what its manifest does not let it ask. */
const ownFault: ReadonlySet<EgressCode> = new Set<EgressCode>([
  'EGRESS_UNDECLARED',
  'EGRESS_NOT_OF_ACTION',
  'METHOD_REFUSED',
  'HEADER_REFUSED',
  'PROTOCOL_REFUSED',
])

type Arguments = Readonly<Record<string, unknown>>

export async function fuzz(
  checked: Checked,
  good: readonly Example[],
  options: FuzzOptions,
): Promise<void> {
  for (const [action, { declaration }] of checked.agent.actions) {
    const own = good.filter((one) => one.action === action)
    const changes = changesOf(toJsonSchema(declaration.input, 'input'), options)
    for (const [index, change] of changes.entries()) {
      const example = own[index % Math.max(own.length, 1)]
      if (example === undefined) continue
      const { args } = example.call
      // Most are refused: no world is made for them where that can be seen before.
      if (typeof args !== 'function' && choose(checked, action, change(args)) === undefined)
        continue
      await withCase(checked, example, (open) => tryDrawn(checked, open, change(open.args)))
    }
  }
}

/** From the arguments of an example to those that are tried, the preferred first. */
type Change = (args: Arguments) => readonly Arguments[]

function changesOf(schema: JsonSchema, { seed, draws }: FuzzOptions): readonly Change[] {
  const drawn = fc
    .sample(argumentsOf(schema), { seed, numRuns: draws })
    .filter(isObject)
    .map((whole, index): Change => {
      const names = Object.keys(whole)
      // One argument alone reaches further than all of them at once.
      const name = names[index % Math.max(names.length, 1)]
      return (args) => [whole, name === undefined ? args : { ...args, [name]: whole[name] }]
    })
  const awkward = textNamesOf(schema).flatMap((name) =>
    awkwardTexts.map(
      (text): Change =>
        (args) => [{ ...args, [name]: text }],
    ),
  )
  return [...awkward, ...drawn]
}

function choose(
  { agent, tally }: Checked,
  action: string,
  candidates: readonly Arguments[],
): Arguments | undefined {
  return candidates.find(
    (args) => canBeSent(args) && prepare(agent, action, args, tally) !== undefined,
  )
}

/** No plan and no message brings an agent other arguments. */
function canBeSent(args: Arguments): boolean {
  try {
    return Buffer.byteLength(canonicalJson(args)) <= limits.argumentBytes
  } catch (error) {
    if (error instanceof CanonicalJsonError) return false
    throw error
  }
}

async function tryDrawn(
  checked: Checked,
  open: OpenCase,
  candidates: readonly Arguments[],
): Promise<void> {
  const { agent, tally } = checked
  const { example, world } = open
  const { action } = example
  const args = choose(checked, action, candidates)
  if (args === undefined) return
  tally.tried('fuzz')
  const declaration = agent.actions.get(action)?.declaration
  const before = digestOf(world.look())
  const ended = await open.perform(args)
  const changed = digestOf(world.look()) !== before
  if (changed && declaration?.effect === 'read') {
    tally.add('READ_CHANGES', action, 'it changes something with arguments that were drawn')
  }
  if (changed && args['dryRun'] === true) {
    tally.add(
      'DRY_RUN_CHANGES',
      action,
      'run dry with arguments that were drawn, it changes something',
    )
  }
  if (changed && ended.kind === 'failed' && ended.retry === 'absent') {
    const message = `it fails with ${ended.code}, says that nothing happened, and changed something`
    tally.add('ABSENT_CHANGES', action, message)
  }
  const refused = world.refusals.find((code) => ownFault.has(code))
  if (refused !== undefined) {
    tally.add('EGRESS_REFUSED', action, `the gateway refuses with ${refused}`)
  }
}
