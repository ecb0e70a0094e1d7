// One change of one event on a server, once. As change.ts for files: the journal entry first, then the
// event, then the entry again. The write is conditional on the version in the copy, so that an edit of
// somebody else's is a conflict and never overwritten; after a crash the server's present text says
// what happened, and where it does not, a person is asked. Of what others are in, nothing is sent unless
// the action may tell them.

import { caldavWrite } from '../dav/declaration.ts'
import { type DavFetch, gatewayFetch } from '../dav/gateway-fetch.ts'
import { keepObject, type Mirror } from '../dav/mirror.ts'
import { type Component, type DavObject, readObject, writeObject } from '../dav/server.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { conflict, invalid, tooMuch } from './failures.ts'
import { type OpenCalendar, openText } from './folder.ts'
import { requireNobodyTold } from './guests.ts'
import { contentOf, emptyObject, groupTexts, withGroup } from './ics-text.ts'
import {
  type JournalEntry,
  type PlannedChange,
  readEntry,
  removeEntry,
  uidOf,
  writeEntry,
} from './journal.ts'
import {
  isReadable,
  type Keeping,
  notApplied,
  type Reverted,
  type RevertInput,
  reverted,
  type Shown,
} from './keeping.ts'

/** What the gateway takes as the body of a request, less a margin. */
const maxObjectBytes = 240 * 1024

interface RemoteChange<Result> {
  readonly keeping: Keeping<Result>
  readonly calendar: string
  readonly uid: string
  readonly dryRun: boolean
  readonly mayTell: boolean
  readonly folder: string
  readonly mirror: Mirror
}

/**
 * @throws ActionFailure CONFLICT with `ask`: `calendar.sync`, read it again, and decide anew;
 *   TELLS_OTHERS with `ask`: an action that asks a person first
 */
export async function makeRemoteChange<Result>(
  { calendar, uid, dryRun, mayTell, folder, mirror, keeping }: RemoteChange<Result>,
  context: ActionContext,
  plan: (open: OpenCalendar) => PlannedChange<Result>,
): Promise<Result> {
  const { idem } = context
  const { component } = keeping
  const dav = gatewayFetch(context, caldavWrite)
  const earlier = readEntry(folder, idem)
  if (earlier?.applied === true) return keeping.result.parse(earlier.result)
  if (earlier?.place !== undefined) {
    const { place, before, after } = earlier
    const present = await presentAt(dav, place.url, { calendar, uid: earlier.uid, component })
    if (same(present.texts, after)) {
      if (!dryRun) {
        keepPresent({ keeping, folder, place }, present.object)
        writeEntry(folder, idem, { ...earlier, applied: true })
      }
      return keeping.result.parse(earlier.result)
    }
    if (!same(present.texts, before)) {
      throw conflict('the event was changed since; whether by this command cannot be told')
    }
  }
  const object = objectOf(mirror, { calendar, uid, component })
  const open = openText(calendar, object?.text ?? emptyObject, { component })
  const { texts, result } = plan(open)
  const before = groupTexts(open.file, uid)
  if (!mayTell) requireNobodyTold(calendar, [...before, ...texts], component)
  if (dryRun) return result
  const place = { collection: mirror.url, url: object?.url ?? newPlace(mirror, idem) }
  const entry = { calendar, uid, place, before, after: [...texts], result, applied: false }
  const text = objectText(open, { uid, texts })
  writeEntry(folder, idem, entry)
  await put(dav, { keeping, folder, place, etag: object?.etag, text }, () =>
    removeEntry(folder, idem),
  )
  writeEntry(folder, idem, { ...entry, applied: true })
  return result
}

interface Present {
  readonly object: DavObject | undefined
  readonly texts: readonly string[]
}

interface Wanted {
  readonly calendar: string
  readonly uid: string
  readonly component: Component
}

async function presentAt(
  dav: DavFetch,
  url: string,
  { calendar, uid, component }: Wanted,
): Promise<Present> {
  const object = await readObject(dav, url)
  const texts =
    object === undefined ? [] : groupTexts(openText(calendar, object.text, { component }).file, uid)
  return { object, texts }
}

interface RemoteRevert<Details> extends RevertInput {
  /** Undefined when the server has that calendar no more. */
  readonly mirror: Mirror | undefined
  readonly keeping: Keeping<Shown<Details>>
  readonly folder: string
  readonly entry: JournalEntry | undefined
}

/** @throws ActionFailure */
export async function revertRemote<Details>(
  { calendar, change, dryRun, folder, mirror, entry, keeping }: RemoteRevert<Details>,
  context: ActionContext,
): Promise<Reverted<Details>> {
  if (entry === undefined) {
    if (mirror?.objects.some(({ url }) => url === newPlace(mirror, change)))
      throw conflict('the journal of that change is gone')
    return notApplied(calendar, null)
  }
  const { place, uid } = entry
  if (entry.calendar !== calendar) throw invalid('that change was of another calendar')
  if (place === undefined) throw conflict(`change ${change} was of a file of that name`)
  const { component } = keeping
  const dav = gatewayFetch(context, caldavWrite)
  const { object, texts } = await presentAt(dav, place.url, { calendar, uid, component })
  if (same(texts, entry.before)) {
    return entry.applied ? reverted(entry, keeping) : notApplied(calendar, uid)
  }
  if (!same(texts, entry.after)) throw conflict('the event was changed since')
  // The undo of a run was part of what a person was asked; a step of a plan is asked about by nobody.
  if (context.kind === 'do') requireNobodyTold(calendar, [...texts, ...entry.before], component)
  if (dryRun) return reverted(entry, keeping)
  const open = openText(calendar, object?.text ?? emptyObject, { component })
  const text = objectText(open, { uid, texts: entry.before })
  await put(dav, { keeping, folder, place, etag: object?.etag, text })
  return reverted(entry, keeping)
}

interface Put {
  readonly keeping: Pick<Keeping<unknown>, 'component' | 'assertReadable'>
  readonly folder: string
  readonly place: { readonly collection: string; readonly url: string }
  readonly etag: string | undefined
  readonly text: string | undefined
}

async function put(
  dav: DavFetch,
  { keeping, folder, place, etag, text }: Put,
  whenRefused?: () => void,
): Promise<void> {
  let written: DavObject | undefined
  try {
    written = await writeObject(dav, { url: place.url, etag, text })
  } catch (error) {
    // Each of these says that nothing was written.
    if (error instanceof ActionFailure) whenRefused?.()
    throw error
  }
  keepPresent({ keeping, folder, place }, written)
}

/** Of what this agent cannot read there is no copy, as after a sync. */
function keepPresent(
  { keeping, folder, place }: Pick<Put, 'keeping' | 'folder' | 'place'>,
  present: DavObject | undefined,
): void {
  const object = present !== undefined && isReadable(present.text, keeping) ? present : undefined
  keepObject(folder, place.collection, { url: place.url, object })
}

/** The object that has the event: one each (RFC 4791, 4.1). */
function objectOf(
  { objects }: Mirror,
  { calendar, uid, component }: Wanted,
): DavObject | undefined {
  return objects.find(({ text }) =>
    openText(calendar, text, { component }).file.events.some((one) => one.uid === uid),
  )
}

function newPlace({ url }: Mirror, idem: string): string {
  return `${url}${uidOf(idem).replace('@', '-')}.ics`
}

/** Undefined when nothing is left in it. */
function objectText(
  { file }: OpenCalendar,
  { uid, texts }: Pick<PlannedChange<unknown>, 'uid' | 'texts'>,
): string | undefined {
  const isAlone = file.events.every((event) => event.uid === uid)
  if (texts.length === 0 && isAlone) return undefined
  const text = withGroup(file, uid, texts)
  if (Buffer.byteLength(text) > maxObjectBytes) throw tooMuch('an event too large for the server')
  return text
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return contentOf(left) === contentOf(right)
}
