// A person's health data for the tests of the health agent: two temporary folders, a clock that stands
// still, and files written into the folder of exports. `run` parses as the runtime does.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import type { ActionContext } from '../../agents/define-agent.ts'
import { agent } from '../../agents/health/agent.ts'
import { exportsAt, healthAt, manifest } from '../../agents/health/manifest.ts'
import { type HealthYears, healthExport } from '../../examples/home/health.ts'
import { contextOf, idemOf } from './action-context.ts'

type Actions = typeof manifest.actions
export type Result<Name extends keyof Actions> = z.output<Actions[Name]['output']>

export interface HealthHome {
  readonly data: string
  readonly exports: string
  /** Puts a file into the folder of exports. */
  put(name: string, content: string | Uint8Array): Promise<void>
  run<Name extends keyof Actions>(
    action: Name,
    args: object,
    options?: { readonly as?: string; readonly signal?: AbortSignal; onProgress?: () => void },
  ): Promise<Result<Name>>
  end(): void
}

/** Both changes of the clocks lie within a year of it; the one of autumn within a month. */
export const now = Date.parse('2026-11-21T08:00:00Z')
export const zone = 'Europe/Vienna'

export function openHealthHome(timeZone = zone): HealthHome {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-health-'))
  const [data, exports] = [
    mkdtempSync(join(folder, 'data-')),
    mkdtempSync(join(folder, 'exports-')),
  ]
  writeFileSync(join(data, 'timezone'), `${timeZone}\n`)
  let calls = 0
  return {
    data,
    exports,
    async put(name, content) {
      await mkdir(dirname(join(exports, name)), { recursive: true })
      await writeFile(join(exports, name), content)
    },
    async run(action, args, { as, signal, onProgress } = {}) {
      calls += 1
      const call = agent.actions.get(action)?.prepare(args)
      if (call === undefined) throw new Error(`${action} refuses its arguments`)
      const context: ActionContext = {
        ...contextOf({ folder: data, now }, idemOf(as ?? String(calls))),
        folder: (at) => {
          if (at === healthAt) return data
          if (at === exportsAt) return exports
          throw new Error(`no mount at ${at}`)
        },
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { progress: onProgress }),
      }
      return manifest.actions[action].output.parse(await call(context)) as Result<typeof action>
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Six weeks, over the night in which clocks go back. */
export const weeks: HealthYears = {
  from: '2026-10-12',
  to: '2026-11-21',
  timeZone: zone,
  seed: 7,
  pulseMinutes: 60,
}

export const exportOf = (years: HealthYears): string => [...healthExport(years)].join('')

/** An export of these elements alone. */
export const exportWith = (elements: string, made = '2026-11-21 07:30:00 +0100') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="de_AT">\n<ExportDate value="${made}"/>\n${elements}\n</HealthData>\n`

interface Quantity {
  readonly type?: string
  readonly source?: string
  readonly unit?: string
  readonly value?: string
  /** `2026-11-20 10:00:00 +0100` */
  readonly start: string
  readonly end?: string
}

export const record = ({
  type = 'StepCount',
  source = 'iPhone',
  unit = 'count',
  value = '100',
  start,
  end = start,
}: Quantity) =>
  `<Record type="HKQuantityTypeIdentifier${type}" sourceName="${source}" unit="${unit}" creationDate="${end}" startDate="${start}" endDate="${end}" value="${value}"/>`
