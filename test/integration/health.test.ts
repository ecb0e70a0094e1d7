// The health agent in its real sandbox: takes in the sample home's export, answers by its recipe's own
// steps, and a run that fails takes back what it has imported.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HealthYears, healthExport, stepsOn } from '../../examples/home/health.ts'
import {
  confinementOf,
  type HealthDeployment,
  startHealthDeployment,
} from '../agents/health-deployment.ts'

const weeks: HealthYears = {
  from: '2026-10-12',
  to: '2026-11-20',
  timeZone: 'Europe/Vienna',
  seed: 5,
  pulseMinutes: 30,
}
const day = '2026-11-19'

let deployment: HealthDeployment
beforeAll(async () => {
  deployment = await startHealthDeployment()
  writeFileSync(join(deployment.exports, 'export.xml'), [...healthExport(weeks)].join(''))
})
afterAll(() => deployment.stop())

const take = (file: string, more = '') =>
  `{ id: take, agent: health, action: import, args: { file: ${file}${more} } }`
const ask = (needs = '') =>
  `{ id: ask, agent: health, action: summary, args: { date: '${day}' }${needs} }`
const stepsSaid = async () =>
  (await deployment.run([ask()], '{{ask.steps}} of {{ask.timeZone}}')).answer?.trim()

describe('the health agent in its sandbox', () => {
  it('answers without data that nothing is known', async () => {
    expect(await stepsSaid()).toBe('of Europe/Vienna')
    const { seccomp, pids } = confinementOf((await deployment.pid()) ?? 0)
    expect([seccomp, pids.at(-1)]).toEqual([2, 1])
  })

  it('run dry leaves nothing behind', async () => {
    const dry = await deployment.run([take('export.xml', ', dryRun: true')], '{{take.outcome}}')
    expect(dry).toMatchObject({
      status: 'completed',
      answer: expect.stringMatching(/^imported\s*$/),
    })
    expect(await stepsSaid()).toBe('of Europe/Vienna')
  })

  it('has what it took in taken back when the run fails', async () => {
    const absent = `{ id: fail, agent: health, action: import, args: { file: absent.xml }, needs: [take] }`
    const { status, steps } = await deployment.run([take('export.xml'), absent], 'no')
    expect(status).toBe('failed')
    expect(steps).toMatchObject([
      { id: 'take', outcome: 'settled' },
      { id: 'fail', outcome: 'failed', code: 'NOT_FOUND' },
    ])
    expect(await stepsSaid()).toBe('of Europe/Vienna')
  })

  it('takes an export in and answers with the steps that were made', async () => {
    const { status } = await deployment.run([take('export.xml')], '{{take.inserted}}')
    expect(status).toBe('completed')
    expect(await stepsSaid()).toBe(`${stepsOn(weeks, day)} of Europe/Vienna`)
  })

  it('is asked for a report by the recipe, with pictures, also where there is no new export', async () => {
    for (const file of ['export.xml', 'absent.xml']) {
      const run = await deployment.recipe('sleep-and-activity', { day, export: file })
      const [first, ...others] = run.steps.map(({ id, outcome }) => [id, outcome])
      expect(first).toEqual(['take-in', file === 'absent.xml' ? 'failed' : 'settled'])
      expect(others.map(([, outcome]) => outcome)).toEqual(Array(7).fill('settled'))
      expect(run.answer).toContain(`${stepsOn(weeks, day)} steps, `)
      expect(run.answer).toMatch(/steps {2}[▁-█]{14} {2}\d/)
      // One night of the fourteen was not measured.
      expect(run.answer).toMatch(/sleep {2}(?=\S* \S*)[▁-█ ]{14} {2}\d/)
      expect(run.answer).toMatch(/2026-11-18: restingHeartRate 7\d count\/min/)
    }
  })
})
