// respond: the answer of one person who was invited (RFC 5545, PARTSTAT; RFC 5546, 3.2.3). Invariant: of an
// event nothing changes but that person's own ATTENDEE line and when it was written; what is asked of an
// invitation in any other way is refused. Whether anybody is told is the server's: one that schedules
// by itself (RFC 6638, 3.2.2) mails the organiser, which nothing takes back, so the manifest says irreversible.

import type { ActionContext } from '../define-agent.ts'
import { makeChange } from './change.ts'
import { locate, newException, planned, rawOf } from './edit-event.ts'
import { basic, folded, withProperties } from './event-lines.ts'
import type { EventDetails, Written } from './event-shapes.ts'
import { keepingEvents } from './events-kept.ts'
import { invalid, notFound, tooMuch } from './failures.ts'
import type { ContentLine, EventSegment } from './ics-text.ts'
import { lineValue } from './ics-text.ts'
import { type Component, detailsOf, parseComponent, type TargetInput } from './instances.ts'

export interface RespondArgs extends TargetInput {
  readonly calendar: string
  /** The mail address under which the person was invited. */
  readonly as: string
  readonly response: Answer
  readonly ifMatch: string
  readonly dryRun: boolean
}

type Answer = 'accepted' | 'declined' | 'tentative'
type Response = NonNullable<EventDetails['response']>

/** @throws ActionFailure NOT_FOUND when that address is not invited, INVALID_INPUT when it invites */
export async function respond(args: RespondArgs, context: ActionContext): Promise<Written> {
  return makeChange({ ...args, keeping: keepingEvents, mayTell: true }, context, (open) => {
    const { target, viewer } = locate(args, open, context)
    const { main, reading, exception } = target
    const shown = exception ?? main ?? target.components[0]
    if (shown === undefined) throw new Error('an event without components')
    const isNewException = reading !== undefined && exception === undefined
    const base = isNewException ? newException(shown, { reading, open, viewer }) : shown
    const answered = (component: Component) =>
      withAnswer(component.segment, { ...args, newline: open.file.newline, now: context.now() })
    const text = answered(base)
    const texts = target.components.map((component) => {
      const isMeant =
        reading === undefined ? isInvited(component, args.as) : component === exception
      if (!isMeant) return rawOf(component)
      return component === base ? text : answered(component)
    })
    if (isNewException) texts.push(text)
    const after = parseComponent(args.calendar, text)
    const details = (component: Component, at?: number) => ({
      ...detailsOf(component.event, { open, viewer, ...(at === undefined ? {} : { reading: at }) }),
      ...invitationOf(component.segment, args.as),
    })
    return planned(args, {
      target,
      texts,
      before: details(shown, isNewException ? reading : undefined),
      after: details(after),
    })
  })
}

interface Writing {
  readonly as: string
  readonly response: Answer
  readonly newline: string
  readonly now: number
}

function withAnswer(segment: EventSegment, { as, response, newline, now }: Writing): string {
  const own = ownLine(segment, as)
  const lines = propertiesOf(segment, 'ATTENDEE').map((line) =>
    line === own ? folded(withStatus(line.text, response.toUpperCase()), newline) : line.raw,
  )
  const stamp = `${basic(now)}Z${newline}`
  return withProperties(
    segment.lines,
    new Map([
      ['ATTENDEE', lines.join('')],
      ['DTSTAMP', `DTSTAMP:${stamp}`],
      ['LAST-MODIFIED', `LAST-MODIFIED:${stamp}`],
    ]),
  )
}

function propertiesOf({ lines }: EventSegment, name: string): readonly ContentLine[] {
  return lines.filter((line) => line.depth === 1 && line.name === name)
}

function isInvited({ segment }: Component, as: string): boolean {
  return propertiesOf(segment, 'ATTENDEE').some(({ text }) => isOf(text, as))
}

function ownLine(segment: EventSegment, as: string): ContentLine {
  if (propertiesOf(segment, 'ORGANIZER').some(({ text }) => isOf(text, as)))
    throw invalid('who invites does not answer')
  const [own, ...more] = propertiesOf(segment, 'ATTENDEE').filter(({ text }) => isOf(text, as))
  if (own === undefined) throw notFound('that address is not invited')
  if (headOf(own.text).length > maxHead) throw tooMuch('an invitation with too many parameters')
  if (more.length > 0) throw invalid('that address is invited more than once')
  return own
}

/** `mailto:` as RFC 5545 has it, or the EMAIL parameter (RFC 7986) beside an address of another kind. */
function isOf(line: string, as: string): boolean {
  const wanted = as.toLowerCase()
  const email = parametersOf(line).find(({ name }) => name === 'EMAIL')?.value
  const addresses = [lineValue(line).trim(), ...(email === undefined ? [] : [`mailto:${email}`])]
  return addresses.some((address) => address.toLowerCase() === `mailto:${wanted}`)
}

interface Parameter {
  /** In capitals. */
  readonly name: string
  /** Without its quotation marks. */
  readonly value: string
  readonly text: string
}

/** Of a line: its name and parameters, some of which others wrote. */
const maxHead = 4_096

function headOf(line: string): string {
  return line.slice(0, line.length - lineValue(line).length - 1)
}

/** None of a line that has more than anybody needs. What stands between the name and the colon, split where no quotation mark holds it together. */
function parametersOf(line: string): readonly Parameter[] {
  const head = headOf(line)
  if (head.length > maxHead) return []
  const parts = head.match(/(?:"[^"]*"|[^;"])+/g) ?? []
  return parts.slice(1).map((text) => {
    const [name = '', ...rest] = text.split('=')
    return {
      name: name.trim().toUpperCase(),
      value: rest.join('=').replace(/^"(.*)"$/, '$1'),
      text,
    }
  })
}

function withStatus(line: string, status: string): string {
  const kept = parametersOf(line).filter(({ name }) => name !== 'PARTSTAT')
  const parameters = [...kept.map(({ text }) => text), `PARTSTAT=${status}`]
  return `ATTENDEE;${parameters.join(';')}:${lineValue(line)}`
}

const responses: Readonly<Record<string, Response>> = {
  'NEEDS-ACTION': 'needs-action',
  ACCEPTED: 'accepted',
  DECLINED: 'declined',
  TENTATIVE: 'tentative',
}

/** Without the parameter it is NEEDS-ACTION (RFC 5545, 3.2.12). */
function invitationOf(
  segment: EventSegment,
  as: string,
): Pick<EventDetails, 'organizer' | 'response'> {
  const status =
    parametersOf(ownLine(segment, as).text).find(({ name }) => name === 'PARTSTAT')?.value ??
    'NEEDS-ACTION'
  const [organizer] = propertiesOf(segment, 'ORGANIZER').map(({ text }) => lineValue(text).trim())
  const known = status.toUpperCase()
  return {
    organizer: organizer === undefined ? null : organizer.replace(/^mailto:/i, '').slice(0, 200),
    response: Object.hasOwn(responses, known) ? (responses[known] ?? 'other') : 'other',
  }
}
