// Warnings of the US weather service (api.weather.gov): first whether it covers the place at all, then
// what is in force there. A place that it does not cover has no answer, which is not "no warnings".
// What it writes is text of others: control and direction characters are taken out, and it is cut.

import { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { askServer } from './ask-server.ts'
import type { Alert, Place } from './manifest.ts'
import { timeAt } from './place-time.ts'

const pointShape = z.object({ properties: z.object({ timeZone: z.string().max(64) }) })

const text = z.string().max(20_000).nullish()
const alertsShape = z.object({
  features: z
    .array(
      z.object({
        properties: z.object({
          event: z.string().min(1).max(1_000),
          severity: text,
          urgency: text,
          onset: text,
          effective: text,
          ends: text,
          expires: text,
          headline: text,
          areaDesc: text,
        }),
      }),
    )
    .max(500),
})
type Properties = z.infer<typeof alertsShape>['features'][number]['properties']

const severities = ['Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown'] as const

/** @throws ActionFailure */
export async function readAlerts(context: ActionContext, place: Place, limit: number) {
  const point = `${place.lat},${place.lon}`
  const known = await askServer(context, {
    egress: 'alerts',
    path: `/points/${point}`,
    shape: pointShape,
  })
  const reply =
    known &&
    (await askServer(context, {
      egress: 'alerts',
      path: '/alerts/active',
      query: { point },
      shape: alertsShape,
    }))
  if (known === undefined || reply === undefined) {
    return { place, timeZone: null, covered: false, count: 0, alerts: [] }
  }
  const alerts = reply.features
    .map(({ properties }) => toAlert(properties))
    .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
  return {
    place,
    timeZone: timeAt(known.properties.timeZone).timeZone,
    covered: true,
    count: alerts.length,
    alerts: alerts.slice(0, limit),
  }
}

function toAlert(written: Properties): Alert {
  return {
    event: plain(written.event, 120),
    severity: severities.find((one) => one === written.severity) ?? 'Unknown',
    urgency: plain(written.urgency ?? 'Unknown', 40),
    onset: utcText(written.onset ?? written.effective),
    // `expires` is when the message is replaced, `ends` when the weather is over.
    expires: utcText(written.ends ?? written.expires),
    headline: plain(written.headline ?? written.event, 300),
    area: plain(written.areaDesc ?? '', 300),
  }
}

/** RFC 3339, as the service writes times; the engine would make a date of nearly anything. */
const instantPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/

function utcText(written: string | null | undefined): string | null {
  const at = instantPattern.test(written ?? '') ? Date.parse(written ?? '') : Number.NaN
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}

function plain(written: string, maxCharacters: number): string {
  const visible = written.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const characters = [...visible]
  return characters.length > maxCharacters
    ? `${characters.slice(0, maxCharacters - 1).join('')}…`
    : visible
}
