// What the examples of an agent show: each ends as it says, reads change nothing, a dry run changes
// nothing, the same command twice has one effect and one result, an undo gives back what was there, and
// nothing asks the network beside the gateway.

import { toJsonSchema } from '../../plan/json-schema.ts'
import type { ActionManifest, AgentManifest, UndoDeclaration } from '../../plan/manifest.ts'
import { isObject } from '../../plan/pointer.ts'
import { resolveUndo } from '../../plan/undo.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { perform, prepare } from './call.ts'
import { type Checked, type Example, type OpenCase, withCase, wordsOf } from './cases.ts'
import { digestOf, idemOf } from './world.ts'

/** Tries every example. Returns those that end well, which the fuzzing starts from. */
export async function tryExamples(
  checked: Checked,
  examples: readonly Example[],
): Promise<readonly Example[]> {
  const good: Example[] = []
  const changing = new Set<string>()
  for (const example of examples) {
    const declaration = checked.agent.actions.get(example.action)?.declaration
    if (declaration === undefined) {
      checked.tally.add('EXAMPLE_REFUSED', example.action, 'there is no such action')
      continue
    }
    try {
      const { well, changed } = await tryExample(checked, example, declaration)
      if (well) good.push(example)
      if (well && changed) changing.add(example.action)
    } catch (error) {
      // Handlers' errors are caught where they are called: what fails here is the example's own code.
      const name = error instanceof Error ? error.name : typeof error
      checked.tally.add('EXAMPLE_REFUSED', example.action, `${example.title} itself throws ${name}`)
    }
  }
  reportMissing(checked, good, changing)
  return good
}

async function tryExample(
  checked: Checked,
  example: Example,
  declaration: ActionManifest,
): Promise<{ readonly well: boolean; readonly changed: boolean }> {
  const first = await withCase(checked, example, (open) => tryOnce(checked, open, declaration))
  if (first?.well !== true) return { well: false, changed: false }
  await tryDry(checked, example, declaration)
  if (first.changed && declaration.undo !== 'none') {
    await tryUndo(checked, example, declaration.undo)
  }
  return first
}

function isWrite({ effect }: ActionManifest): boolean {
  return effect === 'write' || effect === 'irreversible'
}

/** A reading may differ the second time, and an undo may say that nothing is left to undo. */
function isUndo({ actions }: AgentManifest, name: string): boolean {
  return Object.values(actions).some(({ undo }) => undo !== 'none' && undo.action === name)
}

function reportMissing(
  { agent, tally }: Checked,
  good: readonly Example[],
  changing: ReadonlySet<string>,
): void {
  for (const [name, { declaration }] of agent.actions) {
    // What is known to be wrong with it is why.
    if (tally.blames(name)) continue
    if (!good.some(({ action }) => action === name)) {
      tally.add('EXAMPLE_MISSING', name, 'no example of it ends well')
    } else if (isWrite(declaration) && !changing.has(name)) {
      tally.add('CHANGES_NOTHING', name, 'no example of it changes a file or what a server keeps')
    }
  }
}

/** Once, and once more with the same effect id. */
async function tryOnce(
  { agent, tally }: Checked,
  open: OpenCase,
  declaration: ActionManifest,
): Promise<{ readonly well: boolean; readonly changed: boolean }> {
  const { example, world, args } = open
  const { action, call, title } = example
  tally.tried('examples')
  const notWell = { well: false, changed: false }
  if (prepare(agent, action, args, tally) === undefined) {
    tally.add('EXAMPLE_REFUSED', action, `${title}: its arguments do not fit the manifest`)
    return notWell
  }
  const before = digestOf(world.look())
  const ended = await open.perform()
  const after = digestOf(world.look())
  if ((declaration.egress ?? []).length > 0) tally.tried('egress')
  if (declaration.effect === 'read') {
    tally.tried('reads')
    if (after !== before) tally.add('READ_CHANGES', action, `${title}: it changes something`)
  }
  if (call.fails !== undefined) {
    const asSaid = ended.kind === 'failed' && ended.code === call.fails
    if (!asSaid && ended.kind !== 'faulty') {
      const message = `${title}: it ends ${wordsOf(ended)}, and not with ${call.fails}`
      tally.add('EXAMPLE_FAILED', action, message)
    }
    return notWell
  }
  const [refusal] = world.refusals
  if (refusal !== undefined) {
    tally.add('EGRESS_REFUSED', action, `${title}: the gateway refuses with ${refusal}`)
  }
  if (ended.kind !== 'done') {
    if (ended.kind !== 'faulty' && refusal === undefined) {
      tally.add('EXAMPLE_FAILED', action, `${title}: it ends ${wordsOf(ended)}`)
    }
    return notWell
  }
  if (declaration.idempotent) {
    const mayChange = declaration.effect !== 'read'
    const mustRepeat =
      (isWrite(declaration) || declaration.undo !== 'none') && !isUndo(agent.manifest, action)
    await tryAgain(tally, open, { mayChange, mustRepeat, after, text: ended.text })
  }
  return { well: true, changed: after !== before }
}

async function tryAgain(
  tally: Checked['tally'],
  open: OpenCase,
  first: {
    /** A read that changes something has been told already. */
    readonly mayChange: boolean
    /** Whether it must say the same again. */
    readonly mustRepeat: boolean
    readonly after: string
    readonly text: string
  },
): Promise<void> {
  const { action, title } = open.example
  tally.tried('idempotency')
  const again = await open.perform()
  if (first.mayChange && digestOf(open.world.look()) !== first.after) {
    tally.add('SECOND_EFFECT', action, `${title}: the same command again changes something`)
  }
  if (!first.mustRepeat) return
  if (again.kind !== 'done' || again.text !== first.text) {
    tally.add(
      'SECOND_RESULT',
      action,
      `${title}: the same command again ends ${wordsOf(again)}, otherwise than first`,
    )
  }
}

async function tryDry(
  checked: Checked,
  example: Example,
  { input }: ActionManifest,
): Promise<void> {
  const { properties } = toJsonSchema(input, 'input')
  if (!isObject(properties) || !Object.hasOwn(properties, 'dryRun')) return
  await withCase(checked, example, async (open) => {
    checked.tally.tried('dry-run')
    const before = digestOf(open.world.look())
    const ended = await open.perform({ ...open.args, dryRun: true })
    if (digestOf(open.world.look()) !== before) {
      const message = `${example.title}: it changes something although it runs dry`
      checked.tally.add('DRY_RUN_CHANGES', example.action, message)
    }
    if (ended.kind !== 'done' && ended.kind !== 'faulty') {
      const message = `${example.title}: run dry, it ends ${wordsOf(ended)}`
      checked.tally.add('EXAMPLE_FAILED', example.action, message)
    }
  })
}

async function tryUndo(checked: Checked, example: Example, undo: UndoDeclaration): Promise<void> {
  const { agent, tally } = checked
  const { action, title, world: given } = example
  const view = (open: OpenCase): string => {
    const seen = open.world.look()
    return given.restored === undefined ? digestOf(seen) : canonicalJson(given.restored(seen))
  }
  await withCase(checked, example, async (open) => {
    tally.tried('undo')
    const before = view(open)
    const ended = await open.perform()
    if (ended.kind !== 'done') return
    if (view(open) === before) {
      // Only what can be seen to change can be seen to be given back.
      tally.add(
        'CHANGES_NOTHING',
        action,
        `${title}: nothing of what it changes is in \`restored\``,
      )
    }
    const result = ended.result as Parameters<typeof resolveUndo>[1]['result']
    const args = resolveUndo(undo, { args: open.args, result, idem: open.idem })
    if (args === 'NO_RESULT') return
    const undone = await perform(agent, open.world, tally, {
      action: undo.action,
      args,
      idem: idemOf('the undo'),
      kind: 'undo',
    })
    if (undone.kind !== 'done') {
      tally.add('UNDO_FAILED', action, `${title}: its undo ends ${wordsOf(undone)}`)
    } else if (view(open) !== before) {
      tally.add('UNDO_INCOMPLETE', action, `${title}: after its undo something is not as it was`)
    }
  })
}
