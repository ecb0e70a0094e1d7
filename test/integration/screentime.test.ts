// Screen time of a real ActivityWatch server: figures as ActivityWatch's own library counts them, and the
// recipe of limits through a whole deployment, with the agent in its sandbox behind the gateway.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { writeKnowledge } from '../../examples/home/screentime.ts'
import { openWorld, type ScreentimeWorld } from '../agents/screentime-world.ts'
import { type ActivityRecord, ActivityWatch } from '../support/activity-watch.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment } from '../support/deployment.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { writePlan } from '../support/plan-files.ts'

const program = await installed('aw-server')
if ('version' in program) console.info(`aw-server ${program.version}`)
const missing = 'missing' in program ? program.missing : undefined

const day = '2026-11-20'
const midnight = Date.parse(`${day}T00:00:00Z`)
const apps = ['code', 'Thunderbird', 'Firefox', 'vlc', 'steam']
const presence = { id: 'aw-watcher-afk_desk', type: 'afkstatus', hostname: 'desk' }
const windows = { id: 'aw-watcher-window_desk', type: 'currentwindow', hostname: 'desk' }

/** Ten thousand, eight seconds each, one after the other; every fifth hour nobody is there. */
const records: readonly ActivityRecord[] = Array.from({ length: 10_000 }, (_, n) => ({
  timestamp: new Date(midnight + n * 8_000).toISOString(),
  duration: 8,
  data: { app: apps[(n * 7) % 5], title: `window ${n}` },
}))
const there: readonly ActivityRecord[] = Array.from({ length: 24 }, (_, hour) => ({
  timestamp: new Date(midnight + hour * 3_600_000).toISOString(),
  duration: 3_600,
  data: { status: hour % 5 === 0 ? 'afk' : 'not-afk' },
}))

/** The server's own query interface cannot answer with the Flask it is installed with; its library can. */
const counting = `
import json, sys
from aw_core import Event
from aw_transform import filter_keyvals, filter_period_intersect, merge_events_by_keys
windows, there = ([Event(**event) for event in events] for events in json.load(sys.stdin))
there = filter_keyvals(there, "status", ["not-afk"])
for event in merge_events_by_keys(filter_period_intersect(windows, there), ["app"]):
    print(json.dumps([event.data["app"], event.duration.total_seconds() / 60]))
`

/** Minutes by app. */
function countedByItsLibrary(...buckets: readonly unknown[]): ReadonlyMap<string, number> {
  if ('missing' in program) throw new Error(program.missing)
  const { status, stdout, stderr } = spawnSync(program.command, ['-c', counting], {
    env: program.env,
    input: JSON.stringify(buckets),
    encoding: 'utf8',
    maxBuffer: 1024 * 1024,
  })
  if (status !== 0) throw new Error(stderr)
  const rows = stdout.trim().split('\n')
  return new Map(rows.map((row) => z.tuple([z.string(), z.number()]).parse(JSON.parse(row))))
}

describe.skipIf(missing !== undefined)(
  `screen time of a real server${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: installTimeoutMs },
  () => {
    let server: ActivityWatch
    let world: ScreentimeWorld
    beforeAll(async () => {
      if ('missing' in program) return
      server = await ActivityWatch.start(program)
      await server.fill(presence, there)
      await server.fill(windows, records)
      world = openWorld(
        () => midnight + 30 * 3_600_000,
        async (path, query) => {
          const response = await fetch(`${server.origin}${path}?${query.toString()}`)
          return { status: response.status, body: await response.text() }
        },
      )
    }, installTimeoutMs)
    afterAll(async () => {
      if (missing !== undefined) return
      world.remove()
      await server.stop()
    })

    test('is what its own library counts of ten thousand records', async () => {
      const said = z.object({ version: z.string() }).parse(await server.send('GET', '/api/0/info'))
      console.info(`aw-server says ${said.version}`)
      const events = (id: string) => server.send('GET', `/api/0/buckets/${id}/events?limit=-1`)
      const expected = countedByItsLibrary(await events(windows.id), await events(presence.id))
      expect(expected.size).toBe(5)
      const { items, idle, ignored } = await world.run('top', { from: day })
      expect(idle).toBe('subtracted')
      expect(ignored).toBe(0)
      expect(items).toHaveLength(5)
      // Minutes have one decimal.
      for (const { key, minutes } of items) expect(minutes).toBeCloseTo(expected.get(key) ?? -1, 1)
    })

    test('leaves out what the server kept of a clock that was set, and cuts a title of a megabyte', async () => {
      const odd = { id: 'aw-watcher-window_odd', type: 'currentwindow', hostname: 'odd' }
      const at = (hour: number) => new Date(midnight - (24 - hour) * 3_600_000).toISOString()
      await server.fill(odd, [
        { timestamp: at(9), duration: -3_600, data: { app: 'back', title: '' } },
        { timestamp: at(10), duration: 600, data: { app: 'code', title: 'x'.repeat(1_000_000) } },
        { timestamp: at(11), duration: 60, data: { title: 'no app' } },
      ])
      const seen = await world.run('timeline', { date: '2026-11-19', titles: true })
      expect(seen).toMatchObject({ ignored: 2, activeMinutes: 10, count: 1, idle: 'unknown' })
      expect(seen.spans[0]?.title).toHaveLength(200)
    })

    test('answers from inside its sandbox, the recipe of limits and for a Mac, and names no title', async () => {
      const state = mkdtempSync(join(tmpdir(), 'bulkhead-screentime-'))
      mkdirSync(join(state, 'screentime'))
      writeFileSync(join(state, 'screentime', 'timezone'), 'UTC\n')
      const macOs = { lastDay: midnight, days: 5, seed: 1 }
      writeKnowledge(join(state, 'screentime', 'knowledgeC.db'), macOs)
      const yaml = `timezone: UTC\nagents:\n  screentime:\n    folder: screentime\n    url: ${server.origin}\n`
      writeFileSync(join(state, 'bulkhead.yaml'), yaml)
      // A short day: what is asked here is the road, and the server answers one question at a time.
      const tower = { id: 'aw-watcher-window_tower', type: 'currentwindow', hostname: 'tower' }
      const short = ['steam', 'code', 'steam', 'vlc'].map((app, n) => ({
        timestamp: `2026-11-18T${10 + n}:00:00Z`,
        duration: app === 'code' ? 3_600 : 1_800,
        data: { app, title: `window ${n}` },
      }))
      await server.fill(tower, short)
      const deployment = await startDeployment({ state })
      try {
        const run = ['run', 'screen-time-limits', '--input', 'day=2026-11-18']
        const { code, stdout, stderr } = await runCli([...run, '--state', state, '--json'])
        expect(code, stderr).toBe(0)
        const { answer } = z.object({ answer: z.string() }).parse(JSON.parse(stdout))
        expect(answer).toContain('OVER  Games: 60 of 45 minutes')
        expect(answer).not.toContain('Every limit')
        expect(answer).toMatch(/█{20} code 60 min/)
        expect(answer).toMatch(/^2026-11-18: 150 minutes/)
        expect(answer).not.toContain('window ')
        const args = '{ source: macos, from: 2026-11-18 }'
        const step = `{ id: mac, agent: screentime, action: top, args: ${args} }`
        const plan = writePlan(state, 'mac', `steps:\n  - ${step}\nanswer: { from: [mac] }\n`)
        const mac = await runCli(['run', plan, '--state', state, '--json'])
        expect(mac.code, mac.stderr).toBe(0)
        expect(mac.stdout).toContain('com.apple.Safari')
      } finally {
        await deployment.stop()
        rmSync(state, { recursive: true, force: true })
      }
    })
  },
)
