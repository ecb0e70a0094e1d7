// The health folder of the sample home: an export that the agent takes in and that is written anew each
// day, never over somebody else's.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeHealth } from '../../examples/home/health-folder.ts'
import { type HealthHome, openHealthHome } from './health-home.ts'

let folder: string
let home: HealthHome
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-health-sample-'))
  home = openHealthHome()
})
afterEach(async () => {
  home.end()
  await rm(folder, { recursive: true, force: true })
})

const write = (today: string, timeZone = 'Europe/Vienna') =>
  writeHealth({ folder, today, timeZone, seed: 1 })
const textOf = () => readFile(join(folder, 'exports', 'export.xml'), 'utf8')

describe('the export of the sample home', () => {
  it.each(['Europe/Vienna', 'America/New_York', 'Pacific/Auckland', 'Asia/Kathmandu', 'UTC'])(
    'has a night, a day and what is unlike them in %s',
    async (timeZone) => {
      await write('2026-11-21', timeZone)
      await home.put('export.xml', await textOf())
      await home.run('import', { file: 'export.xml' })
      const zoned = { timeZone }
      expect(await home.run('sleep', { night: 'today', ...zoned })).toMatchObject({
        coverage: 'measured',
      })
      const trend = await home.run('trend', { metric: 'sleep', days: 14, to: 'today', ...zoned })
      expect(trend.points.filter(({ value }) => value === null)).toHaveLength(1)
      const { anomalies } = await home.run('anomalies', { to: 'today', ...zoned })
      expect(anomalies.map(({ metric }) => metric)).toContain('restingHeartRate')
      const workouts = await home.run('workouts', { to: 'today', days: 30, ...zoned })
      expect(workouts.count).toBeGreaterThan(3)
    },
  )

  it('is the same again on the same day, and goes on the next', async () => {
    await write('2026-11-21')
    const first = await textOf()
    await write('2026-11-21')
    expect(await textOf()).toBe(first)
    await home.put('export.xml', first)
    await home.run('import', { file: 'export.xml' })
    await write('2026-11-22')
    await home.put('export.xml', await textOf())
    const next = await home.run('import', { file: 'export.xml' })
    expect(next.outcome).toBe('imported')
    // Only what the new day brought, and what lies at the two days that are not like others.
    expect(next.inserted).toBeLessThan(next.reasons.duplicate / 10)
  })

  it('stays away where somebody put an export of their own', async () => {
    await write('2026-11-21')
    const own = '<?xml version="1.0"?><HealthData/>'
    await writeFile(join(folder, 'exports', 'export.xml'), own)
    await write('2026-11-22')
    expect(await textOf()).toBe(own)
  })
})
