// `schedule add`: a recipe or a plan that is to run at certain times, at those that the recipe suggests where
// none are given. The notary is told first; what a person is asked about, now and at each firing, is said
// before they are asked.

import type { ScheduleSummary } from '../../notary/standing-contract.ts'
import { scheduleIdPattern } from '../../plan/schedule.ts'
import { type SuggestedSchedule, suggestionWords } from '../../plan/suggested-schedule.ts'
import { findRecipe } from '../../planner/recipes.ts'
import { standingOf } from '../../temporal/artifact-calls.ts'
import { askedEachTime, askedEachTimeLines } from '../asked-each-time.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { askAbout } from '../inline-questions.ts'
import { readKnownNames } from '../names.ts'
import type { Output } from '../output.ts'
import { readPolicy } from '../policy.ts'
import { toPriority } from '../priority-option.ts'
import { readInputs } from '../request-inputs.ts'
import { readTiming, type Timing, toScheduleDocument } from '../schedule-words.ts'
import { type Session, withSession } from '../session.ts'
import { zoneOf } from '../zone.ts'
import { compileRun, type RunSource, readRunSource, reportIssues } from './run.ts'
import { ask, scheduleLines } from './schedule.ts'

export interface AddOptions extends Omit<Timing, 'zone'> {
  /** Unset: the house's. */
  readonly zone?: string
  /** Unset: the name of what is run. */
  readonly id?: string
  readonly note: string
  readonly input: readonly string[]
  readonly priority: string
}

export async function scheduleAddCommand(
  output: Output,
  state: string,
  what: string,
  options: AddOptions,
): Promise<ExitCode> {
  const { id: named, note, input, priority: level, ...timing } = options
  const priority = toPriority(level)
  const run = readRunSource(what)
  const id = readId(named ?? run.name, what)
  const inputs = readInputs(input)
  const zone = timing.zone ?? zoneOf(state)
  const suggested = isTimed(timing) ? undefined : suggestionOf(run)
  if (suggested !== undefined) {
    output.talk(`${suggestionWords(suggested)} in ${zone}, as ${run.name} suggests`)
  }
  const { spec, policy } = readTiming({ ...timing, ...suggested, zone })
  const { decide } = await readPolicy(state)
  const compiled = compileRun(run, { inputs, names: readKnownNames(state), decide })
  if (!compiled.ok) {
    output.data({ ok: false, issues: compiled.issues }, () => [])
    return reportIssues(compiled, output)
  }
  return withSession(state, async (session) => {
    const stored = await session.putRequest(standingOf(id), JSON.stringify({ ...run, inputs }))
    if (stored.status !== 'STORED') {
      throw new CommandError(`the worker refused the plan: ${stored.code}`, {
        exitCode: exitCodes.failed,
        next: 'npx bulkhead doctor',
      })
    }
    const adding = {
      op: 'add',
      id,
      ...run,
      inputs,
      priority,
      spec,
      policy,
      note,
    } as const
    const { schedule } = await ask(session, adding, 'REGISTERED')
    await session.runs.schedules.put({
      ...{ id, spec, policy, note, requestRef: stored.ref, paused: schedule.pausedAt !== null },
      ...(run.kind === 'recipe' ? { recipe: run.name } : {}),
      priority,
    })
    const next = (await session.runs.schedules.describe(id))?.next ?? []
    const asksEachTime = await askedEachTime(session, compiled.report, schedule)
    for (const line of askedEachTimeLines(asksEachTime, compiled.report)) output.talk(line)
    const asked = await askedAbout(session, output, schedule)
    const document = { ...toScheduleDocument(asked, next, []), asksEachTime }
    output.data(document, () => scheduleLines(document))
    return exitCodes.completed
  })
}

/** @throws CommandError for a name that no schedule has */
function readId(id: string, what: string): string {
  if (scheduleIdPattern.test(id)) return id
  throw new CommandError('--id has 1 to 40 characters of a-z, 0-9 and hyphen, a letter first', {
    exitCode: exitCodes.usage,
    next: `npx bulkhead schedule add ${what} --id briefing --at 07:00`,
  })
}

function isTimed({ at, days, cron, every }: Omit<Timing, 'zone'>): boolean {
  return [at, days, cron, every].some((one) => one !== undefined)
}

/** Of a recipe that suggests a time. */
function suggestionOf({ kind, name }: RunSource): SuggestedSchedule | undefined {
  return kind === 'recipe' ? findRecipe(name)?.schedule : undefined
}

/** Nothing fires before a person has approved what every firing does. */
async function askedAbout(
  session: Session,
  output: Output,
  schedule: ScheduleSummary,
): Promise<ScheduleSummary> {
  if (schedule.approval?.state !== 'open') return schedule
  await askAbout(session, output, schedule.approval.id)
  return (await ask(session, { op: 'show', id: schedule.id, limit: 1 }, 'SHOWN')).schedule
}
