// What a deployment's state takes on disk, part by part.

import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { slopePerHour, thinOut } from './slope.ts'

export interface SizeReport {
  /** Path below the state folder; a database with its write-ahead log. */
  readonly name: string
  readonly firstBytes: number
  readonly lastBytes: number
  readonly bytesPerHour: number | null
}

const parts = ['notary/audit.db', 'temporal/temporal.db', 'worker/artifacts', 'logs'] as const
const mostSamples = 400

export function createSizes(state: string) {
  const samples = new Map<string, { at: number; value: number }[]>()
  return {
    sample(now: number) {
      const ledgers = list(join(state, 'agents')).map((name) => `agents/${name}/ledger/ledger.db`)
      for (const name of [...parts, ...ledgers]) {
        const value = sizeOf(join(state, name)) + sizeOf(`${join(state, name)}-wal`)
        if (value === 0 && !samples.has(name)) continue
        const seen = samples.get(name) ?? []
        samples.set(name, seen)
        seen.push({ at: now, value })
      }
    },
    report(): readonly SizeReport[] {
      return [...samples].map(([name, seen]) => {
        const perHour = slopePerHour(thinOut(seen, mostSamples))
        return {
          name,
          firstBytes: seen[0]?.value ?? 0,
          lastBytes: seen.at(-1)?.value ?? 0,
          bytesPerHour: perHour === undefined ? null : Math.round(perHour),
        }
      })
    },
  }
}

/** Of a file, or of all files below a folder; 0 of what is not there. */
function sizeOf(path: string): number {
  try {
    const stat = lstatSync(path)
    if (!stat.isDirectory()) return stat.size
    return list(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
  } catch {
    return 0
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
