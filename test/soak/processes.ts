// What each process of a deployment holds: memory and open files, as the kernel counts them. A process
// that was started anew is another one, and its samples another series. Linux.

import { readdirSync, readFileSync } from 'node:fs'
import { median, type Sample, slopePerHour, thinOut } from './slope.ts'

export interface Holding {
  readonly rssKb: number
  /** Its share of what it shares with others; null where the kernel does not say. */
  readonly pssKb: number | null
  readonly files: number
}

export interface Life {
  readonly name: string
  readonly pid: number
  readonly samples: number
  readonly rssKb: Course
  readonly pssKb: Course | null
  readonly files: Course
}

export interface Course {
  readonly first: number
  readonly median: number
  readonly most: number
  readonly last: number
  /** After the first quarter of its life; null where it was seen at fewer than two times since. */
  readonly perHour: number | null
}

/** Undefined when the process is gone. */
export function look(pid: number): Holding | undefined {
  try {
    const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (rss === undefined) return undefined
    const files = readdirSync(`/proc/${pid}/fd`).length
    return { rssKb: Number(rss), pssKb: readPss(pid), files }
  } catch {
    return undefined
  }
}

function readPss(pid: number): number | null {
  try {
    const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return pss === undefined ? null : Number(pss)
  } catch {
    return null
  }
}

/** Pairs of samples grow with the square; these are some hundred thousand. */
const mostSamples = 400

export function createLives() {
  const lives = new Map<string, { name: string; pid: number; at: number[]; seen: Holding[] }>()
  return {
    /** @param processes those of the moment; `now` in milliseconds */
    sample(processes: readonly { readonly name: string; readonly pid: number }[], now: number) {
      for (const { name, pid } of processes) {
        const holding = look(pid)
        if (holding === undefined) continue
        const key = `${name} ${pid}`
        const life = lives.get(key) ?? { name, pid, at: [], seen: [] }
        lives.set(key, life)
        life.at.push(now)
        life.seen.push(holding)
      }
    },
    /** By name, then in order of their beginnings. */
    report(): readonly Life[] {
      return [...lives.values()]
        .map(({ name, pid, at, seen }) => {
          const course = (of: (holding: Holding) => number | null) =>
            toCourse(
              seen.flatMap((holding, index) => {
                const value = of(holding)
                return value === null ? [] : [{ at: at[index] ?? 0, value }]
              }),
            )
          const rssKb = course((holding) => holding.rssKb) ?? nothing
          const files = course((holding) => holding.files) ?? nothing
          const pssKb = course((holding) => holding.pssKb)
          return { name, pid, samples: seen.length, rssKb, pssKb, files }
        })
        .toSorted((one, other) => one.name.localeCompare(other.name))
    },
  }
}

const nothing: Course = { first: 0, median: 0, most: 0, last: 0, perHour: null }

function toCourse(samples: readonly Sample[]): Course | null {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return null
  const values = samples.map(({ value }) => value)
  // What a process needs to get going is no growth.
  const settledAt = first.at + (last.at - first.at) / 4
  const settled = samples.filter(({ at }) => at >= settledAt)
  const perHour = slopePerHour(thinOut(settled, mostSamples))
  return {
    first: first.value,
    median: median(values) ?? 0,
    most: Math.max(...values),
    last: last.value,
    perHour: perHour === undefined ? null : Math.round(perHour * 10) / 10,
  }
}
