// Calls of every action of health, for `bulkhead agent check`.

import type { AgentExamples, SeenWorld } from '../check/examples-contract.ts'
import { exportsAt, healthAt } from './manifest.ts'

const record = (type: string, unit: string, value: number) =>
  `<Record type="HKQuantityTypeIdentifier${type}" sourceName="Watch" unit="${unit}" startDate="2026-11-20 10:00:00 +0100" endDate="2026-11-20 10:05:00 +0100" value="${value}"/>`
const sleep =
  '<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Watch" startDate="2026-11-19 23:00:00 +0100" endDate="2026-11-20 06:00:00 +0100" value="HKCategoryValueSleepAnalysisAsleepCore"/>'
const walk =
  '<Workout workoutActivityType="HKWorkoutActivityTypeWalking" duration="30" durationUnit="min" sourceName="Watch" startDate="2026-11-20 10:00:00 +0100" endDate="2026-11-20 10:30:00 +0100"/>'
const exported = (elements: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="de_AT"><ExportDate value="2026-11-21 07:00:00 +0100"/>${elements}</HealthData>\n`
const payload = JSON.stringify({
  data: {
    metrics: [
      {
        name: 'step_count',
        units: 'count',
        data: [{ date: '2026-11-20 09:00:00 +0100', qty: 412 }],
      },
    ],
  },
})

const file = { file: 'export.xml' }
const imported = [{ action: 'import', args: file }] as const

/** As the database keeps the sources of these files: a row goes with the last sample of its source. */
const sourceRows = ['exportwatchWatch', 'auto-exporthour'] as const

/** The record of what was imported and taken back stays; whose samples there are is what an undo gives back. */
function sourcesIn({ files }: SeenWorld): unknown {
  return [...files].flatMap(([path, bytes]) =>
    path.startsWith(`${healthAt}/health.db`)
      ? sourceRows.filter((row) => bytes.includes(row))
      : [[path, bytes.toString('latin1')]],
  )
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now: '2026-11-21T08:00:00Z',
      folders: {
        [healthAt]: { timezone: 'Europe/Vienna\n' },
        [exportsAt]: {
          'export.xml': exported(
            record('StepCount', 'count', 620) + record('HeartRate', 'count/min', 71) + sleep + walk,
          ),
          'broken.xml': exported('<Record').slice(0, 150),
          'auto.json': payload,
        },
      },
      restored: sourcesIn,
      calls: {
        import: [
          { args: file },
          { args: { file: 'auto.json' } },
          { args: { payload } },
          { args: { ...file, replace: true } },
          { args: { file: 'broken.xml' }, fails: 'CORRUPT_DATA' },
          { args: { file: 'absent.xml' }, fails: 'NOT_FOUND' },
          { args: {}, fails: 'INVALID_INPUT' },
        ],
        revert: [{ before: imported, args: (earlier) => ({ change: earlier[0]?.idem }) }],
        summary: [{ before: imported, args: { date: '2026-11-20' } }],
        trend: [{ before: imported, args: { metric: 'steps', to: 'today', days: 7 } }],
        sleep: [{ before: imported, args: { night: '2026-11-20' } }],
        workouts: [{ before: imported, args: { to: 'today' } }],
        anomalies: [{ before: imported, args: { to: 'today' } }],
      },
    },
  ],
}
