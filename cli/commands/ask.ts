// `bulkhead ask "..."`: a person's words -> a plan by the phrases of recipes -> shown -> run by the ordinary
// road, as a recipe with inputs or as the bytes of a plan: what is registered is what the person has seen.
// Nothing is run without a yes, typed or given as `--yes`; no yes is an approval of what a step is asked
// about. A question and a refusal run nothing and say what to type next.

import { Temporal } from 'temporal-polyfill'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { RequestLimits } from '../../plan/request-limits.ts'
import type { Priority } from '../../plan/schema.ts'
import { listRecipes } from '../../planner/recipes.ts'
import type { Option, Planned } from '../../planner/rules/contract.ts'
import { planFromWords } from '../../planner/rules/plan-from-words.ts'
import { toRun } from '../asked-words.ts'
import { estimateLine, estimateOf, tellUnfit, unfitIssues } from '../estimate-words.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type AskPerson, toAnswer } from '../inline-questions.ts'
import type { Output } from '../output.ts'
import { planWords } from '../plan-words.ts'
import { runLines } from '../run-view.ts'
import type { Session } from '../session.ts'
import { shellWord } from '../shell-word.ts'
import { askModel, goesToModel, type ModelOptions } from './ask-model.ts'
import {
  compileRun,
  detachable,
  drawRequestId,
  performRun,
  type RunOptions,
  type RunSource,
  reportIssues,
} from './run.ts'

export interface AskOptions extends ModelOptions {
  readonly yes: boolean
  readonly dryRun: boolean
  readonly priority: Priority
  /** What the person allows it; undefined: whatever policy and budgets let. */
  readonly limits: RequestLimits | undefined
  readonly names: KnownNames
  readonly decide: Decide
  /** IANA name: where "tomorrow" is meant. */
  readonly zone: string
  /** Who says yes or no; undefined where nobody is at a terminal. */
  readonly person: AskPerson | undefined
}

/** @throws CommandError */
export async function askCommand(
  open: () => Promise<Session>,
  output: Output,
  words: string,
  options: AskOptions,
): Promise<ExitCode> {
  const recipes = listRecipes()
  const now = Temporal.Now.plainDateTimeISO(options.zone).toString({ smallestUnit: 'minute' })
  const planned = planFromWords(words, { recipes, now })
  if (goesToModel(planned, options))
    return await askModel(open, output, { words, planned }, options)
  if (planned.kind === 'question') return tellQuestion(planned, output)
  if (planned.kind === 'refusal') return tellRefusal(planned, output)
  const { run, inputs } = toRun(planned, recipes)
  const { names, decide } = options
  const compiled = compileRun(run, { inputs, names, decide, handles: 'later' })
  if (!compiled.ok) {
    output.data({ ok: false, issues: compiled.issues }, () => [])
    return reportIssues(compiled, output)
  }
  const { digest, report, plan } = compiled
  const present = { now: Date.now(), zone: options.zone }
  const estimate = estimateOf(plan, present)
  const unfit = unfitIssues(estimate, options.limits, present.now)
  if (tellUnfit(output, estimate, unfit)) return exitCodes.failed
  const { goal } = plan
  const shown = { ok: true, ...named(run), inputs, goal, digest, report, estimate, plan }
  const lines = () => [...planWords(compiled), estimateLine(estimate)]
  if (options.dryRun) {
    output.data(shown, lines)
    return exitCodes.completed
  }
  if (!options.yes) {
    const { person } = options
    if (person === undefined) {
      output.data(shown, lines)
      throw new CommandError('nothing was run: nobody is at a terminal to say yes', {
        exitCode: exitCodes.usage,
        // Written out without them, a copy of it would be without limits.
        next:
          options.limits === undefined
            ? `npx bulkhead ask --yes ${shellWord(words)}`
            : 'the same command once more, with --yes',
      })
    }
    for (const line of lines()) output.talk(line)
    if (toAnswer(await person('run it? [y/N] ')) !== 'approve') {
      output.talk('nothing was run')
      return exitCodes.failed
    }
  }
  const { priority, limits } = options
  return await perform(await open(), output, { run, inputs, priority, limits })
}

async function perform(
  session: Session,
  output: Output,
  asked: { readonly run: RunSource } & Pick<RunOptions, 'inputs' | 'priority' | 'limits'>,
): Promise<ExitCode> {
  const { run, ...given } = asked
  try {
    const requestId = drawRequestId(run.name, new Date())
    const { document, exitCode } = await detachable(requestId, output, () =>
      performRun(session, run, output, { ...given, requestId }),
    )
    output.data(document, () => runLines(document))
    return exitCode
  } finally {
    await session.close()
  }
}

function named({ kind, name }: RunSource) {
  return kind === 'recipe' ? { recipe: name } : { name }
}

function tellQuestion(
  { text, options }: Extract<Planned, { kind: 'question' }>,
  output: Output,
): ExitCode {
  const commands = options.map((option) => ({ ...option, command: commandOf(option) }))
  output.data({ ok: false, question: { text, options: commands } }, () => [
    text,
    ...commands.map(({ command }) => `  ${command}`),
  ])
  if (!output.json && options.length === 0) output.talk('say it again with what is missing')
  return exitCodes.usage
}

function tellRefusal(
  { reason, text }: Extract<Planned, { kind: 'refusal' }>,
  output: Output,
): ExitCode {
  output.data({ ok: false, refusal: { reason, text } }, () => [])
  throw new CommandError(`${text} (${reason})`, {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead recipes   says what can be asked for, and how',
  })
}

function commandOf(option: Option): string {
  switch (option.is) {
    case 'say':
      return `npx bulkhead ask ${shellWord(option.text)}`
    case 'like':
      return `npx bulkhead ask "${option.text}"`
    case 'run': {
      const given = Object.entries(option.inputs).map(
        ([name, value]) => ` --input ${shellWord(`${name}=${value}`)}`,
      )
      return `npx bulkhead run ${option.recipe}${given.join('')}`
    }
  }
}
