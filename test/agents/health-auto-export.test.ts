// Health Auto Export: sums of all devices together, sent again and again, beside the samples of an
// export.xml that they were made of.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { idemOf } from './action-context.ts'
import { exportWith, type HealthHome, openHealthHome, record } from './health-home.ts'

let home: HealthHome
beforeEach(() => {
  home = openHealthHome()
})
afterEach(() => home.end())

const day = '2026-11-20'
const at = (time: string) => `${day} ${time} +0100`
type Point = Readonly<Record<string, unknown>>
const metric = (name: string, units: string, ...data: readonly Point[]) => ({ name, units, data })
const payloadOf = (...metrics: readonly ReturnType<typeof metric>[]) =>
  JSON.stringify({ data: { metrics, workouts: [], stateOfMind: [] } })
const post = (...metrics: readonly ReturnType<typeof metric>[]) =>
  home.run('import', { payload: payloadOf(...metrics) })
const steps = (time: string, qty: number) => ({ date: at(time), qty, source: 'Watch|iPhone' })
const summary = () => home.run('summary', { date: day })

describe('what Health Auto Export posts', () => {
  it('is kept in our units, and what is not known is counted', async () => {
    const result = await post(
      metric('step_count', 'count', steps('09:00:00', 412), steps('10:00:00', 88)),
      metric('active_energy', 'kJ', { date: at('09:00:00'), qty: 418.4 }),
      metric('heart_rate', 'count/min', { date: at('09:00:00'), Min: 50, Avg: 61.5, Max: 90 }),
      metric('resting_heart_rate', 'bpm', { date: at('00:00:00'), qty: 52 }),
      metric('blood_pressure', 'mmHg', { date: at('09:00:00'), systolic: 121, diastolic: 79 }),
      metric('weight_body_mass', 'stones of old', { date: at('09:00:00'), qty: 11 }),
      metric('handwashing', 's', { date: at('09:00:00'), qty: 20 }),
      metric('flights_climbed', 'count', { date: at('09:00:00'), qty: 'three' }, { qty: 3 }),
    )
    expect(result).toMatchObject({
      inserted: 7,
      skipped: 4,
      reasons: { unit: 1, type: 1, value: 1, time: 1 },
    })
    expect(await summary()).toMatchObject({
      steps: 500,
      activeKcal: 100,
      heartRateMean: 61.5,
      restingHr: 52,
      weightKg: null,
      flights: null,
    })
    const trend = await home.run('trend', { metric: 'systolic', to: day, days: 1 })
    expect(trend).toMatchObject({ points: [{ value: 121 }], unit: 'mmHg' })
  })

  it('sent again with more of the hour replaces it, and can be taken back', async () => {
    await post(metric('step_count', 'count', steps('09:00:00', 100)))
    const payload = payloadOf(
      metric('step_count', 'count', steps('09:00:00', 400), steps('10:00:00', 5)),
    )
    const again = await home.run('import', { payload }, { as: 'again' })
    expect(again).toMatchObject({ inserted: 1, updated: 1 })
    expect(await summary()).toMatchObject({ steps: 405 })
    await home.run('revert', { change: idemOf('again') })
    expect(await summary()).toMatchObject({ steps: 100 })
  })

  it('adds to the samples of an export only what is missing of its sums', async () => {
    const samples = [
      record({ source: 'Watch', start: at('09:00:00'), end: at('09:30:00'), value: '300' }),
      record({ source: 'iPhone', start: at('09:20:00'), end: at('09:40:00'), value: '100' }),
    ]
    await home.put('export.xml', exportWith(samples.join('')))
    await home.run('import', { file: 'export.xml' })
    // Of the phone's twenty minutes the watch covers ten.
    expect(await summary()).toMatchObject({ steps: 350 })
    await post(metric('step_count', 'count', steps('09:00:00', 420), steps('11:00:00', 30)))
    expect(await summary()).toMatchObject({ steps: 420 + 30 })
    // A day's sum that was made before it was over takes nothing away.
    await post(metric('step_count', 'count', steps('00:00:00', 200)))
    expect(await summary()).toMatchObject({ steps: 450 })
    await post(metric('step_count', 'count', steps('00:00:00', 1_000)))
    expect(await summary()).toMatchObject({ steps: 1_000 })
  })

  it('gives a night that only says how long, without saying when', async () => {
    await post(
      metric('sleep_analysis', 'hr', {
        date: at('00:00:00'),
        ...{ totalSleep: 7, deep: 1, core: 4.5, rem: 1.5, awake: 0.25 },
        ...{ sleepStart: '2026-11-19 23:00:00 +0100', sleepEnd: at('06:15:00') },
      }),
    )
    expect(await home.run('sleep', { night: day })).toMatchObject({
      coverage: 'measured',
      ...{ asleepMin: 420, deepMin: 60, coreMin: 270, remMin: 90, awakeMin: 15 },
      start: '2026-11-19T23:00:00+01:00',
      awakenings: null,
    })
  })

  it('gives a night by its stages, which a watch knows better', async () => {
    const stage = (value: string, startDate: string, endDate: string) => ({
      ...{ value, startDate, endDate },
      source: 'iPhone',
    })
    await post(
      metric(
        'sleep_analysis',
        'hr',
        stage('Core', '2026-11-19 23:00:00 +0100', at('05:00:00')),
        stage('Dreaming', at('05:00:00'), at('06:00:00')),
      ),
    )
    expect(await home.run('sleep', { night: day })).toMatchObject({ asleepMin: 360, coreMin: 360 })
    const watch = `<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Watch" startDate="${at('00:00:00')}" endDate="${at('05:00:00')}" value="HKCategoryValueSleepAnalysisAsleepDeep"/>`
    await home.put('export.xml', exportWith(watch))
    await home.run('import', { file: 'export.xml' })
    expect(await home.run('sleep', { night: day })).toMatchObject({ asleepMin: 300, deepMin: 300 })
  })

  it('gives workouts, their names as words', async () => {
    const workout = {
      name: 'Outdoor Run; rm -rf /',
      ...{ start: at('18:00:00'), end: at('18:45:00') },
      activeEnergyBurned: { qty: 1_673.6, units: 'kJ' },
      distance: { qty: 5, units: 'mi' },
    }
    const payload = JSON.stringify({ data: { workouts: [workout, { name: 'Nothing' }] } })
    expect(await home.run('import', { payload })).toMatchObject({ inserted: 1, skipped: 1 })
    expect(await home.run('workouts', { to: day })).toMatchObject({
      count: 1,
      workouts: [{ type: 'outdoor-run-rm-rf', minutes: 45, kcal: 400, km: 8.047 }],
    })
  })

  it('of a day that is longer or shorter stays in it', async () => {
    const sum = (date: string, offset: string) => ({ date: `${date} 00:00:00 ${offset}`, qty: 900 })
    await post(
      metric('step_count', 'count', sum('2026-03-29', '+0100'), sum('2026-10-25', '+0200')),
    )
    for (const date of ['2026-03-29', '2026-10-25']) {
      expect(await home.run('summary', { date }), date).toMatchObject({ steps: 900 })
    }
    for (const date of ['2026-03-30', '2026-10-26']) {
      expect(await home.run('summary', { date }), date).toMatchObject({ steps: null })
    }
  })
})
