// Which measurements are kept, under which name, in which one unit, and how the units that exports write
// become it. Invariant: a unit that is not listed is never guessed; its samples are left out and counted.
// The type names are Apple's (HealthKit, HKQuantityTypeIdentifier) and those of Health Auto Export. Pure.

/** `sum`: amounts over an interval. `mean`: readings. */
export type Combination = 'sum' | 'mean'

interface Definition {
  readonly unit: string
  readonly combine: Combination
  /** Of readings: within which span only the best source counts. */
  readonly slot?: 'hour' | 'day'
  /** HKQuantityTypeIdentifier..., without that beginning. */
  readonly apple: string
  /** `name` of a metric of Health Auto Export. */
  readonly auto: string
  /** What an export may write -> what one of it is in our unit, or how it becomes that. */
  readonly units: Readonly<Record<string, number | ((value: number) => number)>>
}

const energy = { kcal: 1, Cal: 1, kJ: 1 / 4.184, cal: 0.001 }
const distance = { km: 1, m: 0.001, mi: 1.609344, ft: 0.0003048, yd: 0.0009144 }
const perMinute = { 'count/min': 1, bpm: 1, 'count/s': 60 }
/** A fraction in Apple's exports, whatever its unit says; more than 1 is a percentage already. */
const share = { '%': (value: number) => (value <= 1 ? value * 100 : value) }
const fahrenheit = (value: number) => ((value - 32) * 5) / 9
const minutes = { min: 1, hr: 60, s: 1 / 60 }
const pressure = { mmHg: 1, kPa: 7.500617 }

const sum = (unit: string, apple: string, auto: string, units: Definition['units']) =>
  ({ unit, combine: 'sum', apple, auto, units }) as const
const mean = (
  [unit, slot]: readonly [string, 'hour' | 'day'],
  apple: string,
  auto: string,
  units: Definition['units'],
) => ({ unit, combine: 'mean', slot, apple, auto, units }) as const

const definitions = {
  steps: sum('count', 'StepCount', 'step_count', { count: 1, steps: 1 }),
  distance: sum('km', 'DistanceWalkingRunning', 'walking_running_distance', distance),
  activeEnergy: sum('kcal', 'ActiveEnergyBurned', 'active_energy', energy),
  basalEnergy: sum('kcal', 'BasalEnergyBurned', 'basal_energy_burned', energy),
  flights: sum('count', 'FlightsClimbed', 'flights_climbed', { count: 1 }),
  exercise: sum('min', 'AppleExerciseTime', 'apple_exercise_time', minutes),
  heartRate: mean(['count/min', 'hour'], 'HeartRate', 'heart_rate', perMinute),
  restingHeartRate: mean(['count/min', 'day'], 'RestingHeartRate', 'resting_heart_rate', perMinute),
  heartRateVariability: mean(['ms', 'day'], 'HeartRateVariabilitySDNN', 'heart_rate_variability', {
    ms: 1,
    s: 1_000,
  }),
  respiratoryRate: mean(['count/min', 'hour'], 'RespiratoryRate', 'respiratory_rate', perMinute),
  oxygenSaturation: mean(['%', 'hour'], 'OxygenSaturation', 'blood_oxygen_saturation', share),
  vo2Max: mean(['mL/min·kg', 'day'], 'VO2Max', 'vo2_max', {
    'mL/min·kg': 1,
    'ml/(kg·min)': 1,
    'mL/(kg·min)': 1,
  }),
  weight: mean(['kg', 'day'], 'BodyMass', 'weight_body_mass', {
    kg: 1,
    g: 0.001,
    lb: 0.45359237,
    st: 6.35029318,
  }),
  bodyTemperature: mean(['degC', 'day'], 'BodyTemperature', 'body_temperature', {
    degC: 1,
    degF: fahrenheit,
  }),
  systolic: mean(['mmHg', 'day'], 'BloodPressureSystolic', 'blood_pressure_systolic', pressure),
  diastolic: mean(['mmHg', 'day'], 'BloodPressureDiastolic', 'blood_pressure_diastolic', pressure),
} as const satisfies Readonly<Record<string, Definition>>

export type Metric = keyof typeof definitions
export const metrics = Object.keys(definitions) as readonly Metric[]
export const metricFacts: Readonly<Record<Metric, Definition>> = definitions

/** Where two stages of one source overlap, the first of these counts. */
export const stages = ['awake', 'deep', 'rem', 'core', 'asleep'] as const
export type Stage = (typeof stages)[number]
/** What is kept: measurements, stages of sleep, and time in bed. */
export type Series = Metric | Stage | 'inBed'
export const allSeries: readonly Series[] = [...metrics, ...stages, 'inBed']

const prefix = 'HKQuantityTypeIdentifier'
const byApple = new Map(metrics.map((name) => [prefix + metricFacts[name].apple, name]))
const byAuto = new Map(metrics.map((name) => [metricFacts[name].auto, name]))

export const appleMetric = (type: string): Metric | undefined => byApple.get(type)
export const autoMetric = (name: string): Metric | undefined => byAuto.get(name)

/** HKCategoryValueSleepAnalysis; `Asleep` is the word of exports before iOS 16. */
const sleepValues = new Map<string, Stage | 'inBed'>([
  ['InBed', 'inBed'],
  ['Awake', 'awake'],
  ['AsleepDeep', 'deep'],
  ['AsleepREM', 'rem'],
  ['AsleepCore', 'core'],
  ['AsleepUnspecified', 'asleep'],
  ['Asleep', 'asleep'],
])
export const appleSleepType = 'HKCategoryTypeIdentifierSleepAnalysis'

export function appleSleep(value: string): Stage | 'inBed' | undefined {
  return sleepValues.get(value.replace(/^HKCategoryValueSleepAnalysis/, ''))
}

/** What Health Auto Export calls the stages, in lower case. */
const autoSleepValues = new Map<string, Stage | 'inBed'>([
  ['inbed', 'inBed'],
  ['in bed', 'inBed'],
  ['awake', 'awake'],
  ['deep', 'deep'],
  ['rem', 'rem'],
  ['core', 'core'],
  ['asleep', 'asleep'],
  ['unspecified', 'asleep'],
])

export const autoSleep = (value: string): Stage | 'inBed' | undefined =>
  autoSleepValues.get(value.toLowerCase())

/** The largest value of anything that is kept: more is a slip, and sums must stay exact. */
const maxValue = 1_000_000

/** @returns the value in the metric's unit, or why there is none */
export function convert(metric: Metric, unit: string, value: number): number | 'unit' | 'value' {
  const { units } = metricFacts[metric]
  if (!Object.hasOwn(units, unit)) return 'unit'
  const factor = units[unit]
  if (factor === undefined) return 'unit'
  const converted = typeof factor === 'number' ? value * factor : factor(value)
  return Number.isFinite(converted) && converted >= 0 && converted <= maxValue ? converted : 'value'
}
