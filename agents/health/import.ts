// The import action and what takes it back. One import at a time; until it is done nobody sees anything of
// it, so that a file that ends in the middle, a stop, a kill or a full disk leaves what was there before.
// The same file again is read again, and finds everything known.

import type { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { maxAutoExportBytes, readAutoExport } from './auto-export.ts'
import { useExportFile } from './export-file.ts'
import { readExport } from './export-xml.ts'
import { corrupt, invalid, tooMuch } from './failures.ts'
import { type Store, withStore } from './health-store.ts'
import {
  beginImport,
  closeImport,
  compareImport,
  discardImport,
  findImport,
  keptFacts,
  requireNewest,
  revertImport,
} from './import-rows.ts'
import { createIntake, sourceOf } from './intake.ts'
import { exportsAt, healthAt, type manifest } from './manifest.ts'
import { createStaging, type Staging } from './staging.ts'

type Args<Name extends 'import' | 'revert'> = z.output<(typeof manifest)['actions'][Name]['input']>
type Result<Name extends 'import' | 'revert'> = z.output<
  (typeof manifest)['actions'][Name]['output']
>

/** Folders in which an import is at work in this process; there is one process. */
const atWork = new Set<string>()

export async function importData(
  args: Args<'import'>,
  context: ActionContext,
): Promise<Result<'import'>> {
  const { file, payload, replace } = args
  if ((file === undefined) === (payload === undefined)) throw invalid('either a file or a payload')
  const isXml = file?.endsWith('.xml') === true
  if (replace && !isXml) throw invalid('only a whole export can replace')
  const folder = context.folder(healthAt)
  if (atWork.has(folder)) {
    throw new ActionFailure('UNAVAILABLE', 'absent', 'another import is under way')
  }
  atWork.add(folder)
  try {
    return await withStore(folder, args.dryRun ? 'try' : 'change', async (store) => {
      const earlier = findImport(store, context.idem)
      if (earlier?.state === 'reverted') {
        throw new ActionFailure('CONFLICT', 'final', 'this import was taken back')
      }
      if (earlier?.state === 'done') return parseResult(earlier.result)
      return importInto(store, args, context)
    })
  } finally {
    atWork.delete(folder)
  }
}

async function importInto(
  store: Store,
  args: Args<'import'>,
  context: ActionContext,
): Promise<Result<'import'>> {
  const before = keptFacts(store)
  const id = beginImport(store, context.idem)
  try {
    const staging = createStaging(store, id)
    const exported = await fill(staging, args, context)
    staging.flush()
    if (args.replace) {
      if (exported === undefined) throw corrupt('an export that does not say when it was made')
      requireNewest(store, exported)
    }
    const replaceUntil = args.replace ? exported : undefined
    const changes = await compareImport(store, { id, replaceUntil, signal: context.signal })
    const duplicate = staging.taken() - changes.inserted - changes.updated
    const reasons = { ...staging.skipped, duplicate }
    const isNew = changes.inserted + changes.updated + changes.deleted > 0
    const result: Result<'import'> = {
      outcome: isNew ? 'imported' : 'nothing-new',
      ...changes,
      skipped: Object.values(reasons).reduce((sum, count) => sum + count, 0),
      reasons,
      before,
      after: keptFacts(store, id),
    }
    closeImport(store, { id, exported, result })
    return result
  } catch (error) {
    discardImport(store, id)
    throw error
  }
}

function parseResult(text: string | null): Result<'import'> {
  // Written by us in one transaction with its state; the runtime checks it against the manifest again.
  return JSON.parse(text ?? 'null')
}

/** @returns when the export was made, where it says so; seconds since the epoch */
async function fill(
  staging: Staging,
  { file, payload }: Args<'import'>,
  context: ActionContext,
): Promise<number | undefined> {
  const intake = createIntake(context.now())
  const auto = (text: string) =>
    readAutoExport(text, intake, { sample: staging.add, workout: staging.addWorkout })
  if (payload !== undefined) {
    auto(payload)
    return undefined
  }
  let exported: number | undefined
  await useExportFile(
    { folder: context.folder(exportsAt), name: file ?? '' },
    { signal: context.signal, onBytes: (done, total) => context.progress?.(done, total) },
    async (parts) => {
      if (file?.endsWith('.json') === true) {
        auto(await readWhole(parts))
        return
      }
      await readExport(parts, {
        record: (attributes) => staging.add(sourceOf(attributes), intake.record(attributes)),
        workout: (attributes, statistics) =>
          staging.addWorkout(sourceOf(attributes), intake.workout(attributes, statistics)),
        exportDate: (value) => {
          const at = intake.time(value)
          // One from the future would keep all later ones out.
          exported = intake.interval(at, at)?.start
        },
      })
    },
  )
  return exported
}

async function readWhole(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Buffer[] = []
  let total = 0
  for await (const part of parts) {
    total += part.length
    if (total > maxAutoExportBytes) {
      throw tooMuch(`more than ${maxAutoExportBytes} bytes of JSON; export fewer days at a time`)
    }
    // The part is overwritten by the next one.
    all.push(Buffer.from(part))
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(all, total))
  } catch (error) {
    throw corrupt('the file is not UTF-8', error)
  }
}

/** The undo of `import`: what it added goes, what it replaced or deleted is back. */
export async function revert(
  { change, dryRun }: Args<'revert'>,
  context: ActionContext,
): Promise<Result<'revert'>> {
  const folder = context.folder(healthAt)
  if (atWork.has(folder)) {
    throw new ActionFailure('UNAVAILABLE', 'absent', 'an import is under way')
  }
  return withStore(folder, dryRun ? 'try' : 'change', (store) => {
    const before = keptFacts(store)
    const found = findImport(store, change)
    if (found !== undefined) revertImport(store, found.id)
    // One that was never done, or is taken back already, changes nothing that counts.
    const outcome = found?.state === 'done' ? ('reverted' as const) : ('not-applied' as const)
    return { outcome, before, after: keptFacts(store) }
  })
}
