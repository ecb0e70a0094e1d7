// Days that are unlike those before them. What is usual is the median of the days before, and how much it
// varies their median absolute deviation, which one wild day does not move (Iglewicz and Hoaglin, 1993:
// 1.4826 times it estimates the standard deviation). Says that a day is unusual, and nothing about why.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { rounded } from './combine.ts'
import { type DailyMetric, type DayValue, dailyValues } from './daily.ts'
import { dateAfter, datesBetween } from './days.ts'
import type { manifest } from './manifest.ts'
import { unitOf, withView } from './reading.ts'

type Action = (typeof manifest)['actions']['anomalies']
type Result = z.output<Action['output']>

/** Those of which a person would want to know. */
const watched: readonly DailyMetric[] = [
  'steps',
  'activeEnergy',
  'sleep',
  'restingHeartRate',
  'heartRateVariability',
  'respiratoryRate',
  'oxygenSaturation',
  'bodyTemperature',
  'weight',
]
/** Fewer days say nothing of what is usual. */
const minBaselineDays = 10
const toDeviation = 1.4826

export function anomalies(
  args: z.output<Action['input']>,
  context: ActionContext,
): Promise<Result> {
  return withView(args, context, async (view) => {
    const to = view.days.date(args.to)
    const from = dateAfter(to, 1 - args.days)
    const dates = datesBetween(dateAfter(from, -args.baselineDays), to)
    const found: Result['anomalies'] = []
    const checked: string[] = []
    const sparse: string[] = []
    for (const metric of watched) {
      const values = await dailyValues(view, metric, dates)
      // A day that is not over is like no other.
      const over = values.filter(({ date }) => date < view.days.today || metric === 'sleep')
      const baseline = usual(over.filter(({ date }) => date < from))
      const recent = over.filter(({ date, value }) => date >= from && value !== null)
      if (baseline === undefined) {
        if (values.some(({ value }) => value !== null)) sparse.push(metric)
        continue
      }
      checked.push(metric)
      found.push(
        ...recent.flatMap(({ date, value }) => {
          const z = ((value ?? 0) - baseline.median) / baseline.deviation
          if (Math.abs(z) < args.minZ) return []
          return [
            { date, metric, unit: unitOf(metric), value: value ?? 0, z: rounded(z), baseline },
          ]
        }),
      )
    }
    found.sort((a, b) => Math.abs(b.z) - Math.abs(a.z))
    return { timeZone: view.days.timeZone, from, to, anomalies: found, checked, sparse }
  })
}

/** Undefined where there are too few days, or all are alike: then anything else would be infinitely far. */
function usual(days: readonly DayValue[]): Result['anomalies'][number]['baseline'] | undefined {
  const values = days.flatMap(({ value }) => (value === null ? [] : [value]))
  if (values.length < minBaselineDays) return undefined
  const median = medianOf(values)
  const deviation = rounded(toDeviation * medianOf(values.map((one) => Math.abs(one - median))))
  return deviation === 0 ? undefined : { median: rounded(median), deviation, days: values.length }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
