// An export of Apple Health of half a gigabyte, phone and watch counting the same steps, taken in by the
// agent in its real sandbox: in one pass, in bounded memory, a second time without effect, and with the
// agent killed in the middle of another. What the days come to is counted here by a way of its own: minute
// by minute over the lines of the file.

import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dateAfter } from '../../agents/health/days.ts'
import { type HealthYears, healthExport, stepsOn } from '../../examples/home/health.ts'
import {
  confinementOf,
  type HealthDeployment,
  startHealthDeployment,
} from '../agents/health-deployment.ts'

const years: HealthYears = {
  from: '2024-07-29',
  to: '2026-11-21',
  timeZone: 'Europe/Vienna',
  seed: 3,
  pulseMinutes: 1,
}
/** Years before the others. */
const earlier: HealthYears = { ...years, from: '2022-01-01', to: '2022-05-01', seed: 4 }

let deployment: HealthDeployment
beforeAll(async () => {
  deployment = await startHealthDeployment()
  await write('export.xml', years)
  await write('earlier.xml', earlier)
})
afterAll(() => deployment.stop())

const write = (name: string, wanted: HealthYears) =>
  pipeline(Readable.from(healthExport(wanted)), createWriteStream(join(deployment.exports, name)))

const importOf = (file: string) =>
  `{ id: take, agent: health, action: import, args: { file: ${file} } }`
const counts =
  '{{take.outcome}} {{take.inserted}} {{take.updated}} {{take.deleted}} {{take.reasons.duplicate}}'
const imported = async (file: string) => (await deployment.run([importOf(file)], counts)).answer

/** Date -> steps as the agent says them; three hundred days at a time. */
async function stepsSaid({ from, to }: HealthYears): Promise<ReadonlyMap<string, number>> {
  const said = new Map<string, number>()
  for (let day = from; day < to; day = dateAfter(day, 300)) {
    const last = dateAfter(day, 299) < to ? dateAfter(day, 299) : dateAfter(to, -1)
    const trend = `{ id: ask, agent: health, action: trend, args: { metric: steps, from: '${day}', to: '${last}' } }`
    const { answer } = await deployment.run(
      [trend],
      '{{#ask.points}}{{t}} {{value}}\n{{/ask.points}}',
    )
    for (const [, date, value] of (answer ?? '').matchAll(/(\d{4}-\d{2}-\d{2}) ([\d.]+)/g)) {
      said.set(date ?? '', Number(value))
    }
  }
  return said
}

/** Minute by minute: the watch's rate where it has one, else the phone's. Reads lines, knows no XML. */
async function countSteps(name: string): Promise<Map<string, number>> {
  const [watch, phone] = [new Map<number, number>(), new Map<number, number>()]
  const offsets = new Map<number, string>()
  const lines = createInterface({ input: createReadStream(join(deployment.exports, name)) })
  for await (const line of lines) {
    if (!line.includes('"HKQuantityTypeIdentifierStepCount"')) continue
    const [start, end] = [timeIn(line, 'startDate'), timeIn(line, 'endDate')]
    const value = Number(/ value="(\d+)"/.exec(line)?.[1])
    const rates = line.includes('Apple Watch"') ? watch : phone
    const [first, last] = [start.ms / 60_000, end.ms / 60_000]
    for (let minute = first; minute < last; minute += 1) {
      rates.set(minute, value / (last - first))
      offsets.set(minute, start.offset)
    }
  }
  const days = new Map<string, number>()
  for (const minute of new Set([...watch.keys(), ...phone.keys()])) {
    const offset = offsets.get(minute) ?? '+0000'
    const ahead = Number(offset.slice(0, 3)) * 60
    const date = new Date((minute + ahead) * 60_000).toISOString().slice(0, 10)
    days.set(date, (days.get(date) ?? 0) + (watch.get(minute) ?? phone.get(minute) ?? 0))
  }
  return days
}

function timeIn(line: string, name: string): { readonly ms: number; readonly offset: string } {
  const [, date, time, offset = ''] =
    new RegExp(` ${name}="(\\S+) (\\S+) ([+-]\\d{4})"`).exec(line) ?? []
  return { ms: Date.parse(`${date}T${time}${offset.slice(0, 3)}:${offset.slice(3)}`), offset }
}

const stepsMade = (wanted: HealthYears, dates: Iterable<string>) =>
  new Map([...dates].map((date) => [date, stepsOn(wanted, date)]))

describe('half a gigabyte of health data', () => {
  it('is taken in in one pass by a confined process that stays below 200 MB', async () => {
    const { size } = statSync(join(deployment.exports, 'export.xml'))
    expect(size).toBeGreaterThan(500_000_000)
    const { status, steps, answer } = await deployment.run([importOf('export.xml')], counts)
    expect([status, steps.map(({ attempts }) => attempts)]).toEqual(['completed', [1]])
    expect(answer).toMatch(/^imported [1-9]\d{6} 0 0 0\s*$/)
    const { peakBytes, seccomp, pids } = confinementOf((await deployment.pid()) ?? 0)
    console.info(`imported ${size} bytes, peak ${Math.round(peakBytes / 1_000_000)} MB`)
    expect([seccomp, pids.at(-1)]).toEqual([2, 1])
    expect(peakBytes).toBeLessThan(200_000_000)
  })

  it('comes to the steps that were made, by two other counts', async () => {
    const said = await stepsSaid(years)
    expect(said.size).toBeGreaterThan(800)
    expect(said).toEqual(stepsMade(years, said.keys()))
    const counted = await countSteps('export.xml')
    // A walk over the last midnight reaches into a day that was not asked for.
    counted.delete(years.to)
    expect(counted).toEqual(said)
  })

  it('adds nothing the second time, in as much memory', async () => {
    expect(await imported('export.xml')).toMatch(/^nothing-new 0 0 0 [1-9]\d{6}\s*$/)
    const { peakBytes } = confinementOf((await deployment.pid()) ?? 0)
    console.info(`imported again, peak ${Math.round(peakBytes / 1_000_000)} MB`)
    expect(peakBytes).toBeLessThan(200_000_000)
  })

  it('is taken in once by an agent that is killed in the middle and comes again', async () => {
    const pid = (await deployment.pid()) ?? 0
    const before = cpuTicks(pid)
    const { ended } = deployment.begin([importOf('earlier.xml')], counts)
    // Half a second of its processor: it has begun to parse, and is far from done.
    while (cpuTicks(pid) - before < 50) await delay(20)
    process.kill(pid, 'SIGKILL')
    const { status, steps, answer } = await ended
    expect([status, (steps[0]?.attempts ?? 0) > 1]).toEqual(['completed', true])
    expect(answer).toMatch(/^imported [1-9]\d{5} 0 0 0\s*$/)
    const said = await stepsSaid(earlier)
    expect(said.size).toBe(120)
    expect(said).toEqual(stepsMade(earlier, said.keys()))
  })
})

/** User and system time, in hundredths of a second (proc_pid_stat(5)). */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
