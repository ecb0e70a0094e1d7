// `npm run evals -- --model rules|<provider>/<model> [--json] [--misses]`: puts every request to a planner,
// prints what came of it, and exits with 1 below the line: 85 % correct of the held-out half, and no wrong
// execution at all; with 2 where there is no such planner, no key for it, or no answer from it.

import { parseArgs } from 'node:util'
import { ModelError } from './model-planner.ts'
import { conversers, plannerOf } from './planners.ts'
import { readConversations, readRequests } from './request.ts'
import {
  belowTheLine,
  type EvalPlanner,
  type EvalResult,
  type Figures,
  figuresOf,
  runConversations,
  runEvals,
} from './run-evals.ts'

const usage = `usage: npm run evals -- [--model rules|<provider>/<model>] [--misses] [--json]
  --model       rules, or anthropic/..., openai/..., gemini/..., local/...; the key in ANTHROPIC_API_KEY,
                OPENAI_API_KEY or GEMINI_API_KEY
  --origin      its server, where it is not the usual one
  --max-usd     what all calls together may cost (1)
  --max-tokens  what one answer may have, thoughts included (4000)
  --first       so many requests only, every second of them held out
  --misses      what was not correct, and why; of the held-out half only how many
  --json        everything as one JSON document
Exit code 0: at least 85 % of the held-out half correct, no wrong execution.\n`

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'rules' },
    origin: { type: 'string' },
    'max-usd': { type: 'string', default: '1' },
    'max-tokens': { type: 'string', default: '4000' },
    first: { type: 'string' },
    json: { type: 'boolean', default: false },
    misses: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(usage)
} else {
  try {
    await evaluateAll()
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  }
}

async function evaluateAll(): Promise<void> {
  const planner = plannerOf(
    values.model,
    {
      origin: values.origin,
      maxUsd: numberOf('max-usd', values['max-usd']),
      maxOutputTokens: numberOf('max-tokens', values['max-tokens']),
    },
    process.env,
  )
  const first = values.first === undefined ? undefined : numberOf('first', values.first)
  const results = await runEvals(planner, [...readRequests().values()].flat().slice(0, first))
  const followUps = await followUpsOf(planner)
  const below =
    belowTheLine(results) ?? (followUps === undefined ? undefined : belowTheLine(followUps))
  const halves = {
    ...halvesOf('', results),
    ...(followUps === undefined ? {} : halvesOf('follow-ups, ', followUps)),
  }
  const all = [...results, ...(followUps ?? [])]
  if (values.json) {
    const told = { planner: planner.name, halves, below, results, followUps: followUps ?? [] }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  } else {
    for (const [half, figures] of Object.entries(halves)) process.stdout.write(shown(half, figures))
    if (values.misses) process.stdout.write(all.map(missed).join(''))
    process.stdout.write(below === undefined ? 'above the line\n' : `BELOW THE LINE: ${below}\n`)
  }
  process.exitCode = below === undefined ? 0 : 1
}

function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (text !== '' && Number.isFinite(number) && number >= 0) return number
  throw new ModelError(`--${name} is no number: ${text}`)
}

/** Undefined: the planner is told of no conversation. */
function followUpsOf({ name }: EvalPlanner): Promise<readonly EvalResult[]> | undefined {
  const converser = conversers.find((one) => one.name === name)
  return converser && runConversations(converser, readConversations())
}

function halvesOf(what: string, all: readonly EvalResult[]): Readonly<Record<string, Figures>> {
  return {
    [`${what}open`]: figuresOf(all.filter(({ heldOut }) => !heldOut)),
    [`${what}held out`]: figuresOf(all.filter(({ heldOut }) => heldOut)),
  }
}

function shown(half: string, figures: Figures): string {
  const share = ((figures.correct / Math.max(1, figures.requests)) * 100).toFixed(1)
  return `${half}: ${figures.correct} of ${figures.requests} correct (${share} %)
  plans valid at the first try ${figures.validAtFirst}, after a second proposal ${figures.validAfterReproposal}
  rightly not run ${figures.rightlyRefused}, questions asked ${figures.asked}, wrong executions ${figures.wrongExecutions}
  no answer ${figures.unanswered}; ${costOf(figures)}, ${figures.medianMs.toFixed(1)} ms for one (median)\n`
}

function costOf({ costUsd, uncertainUsd }: Figures): string {
  const cost = `${costUsd.toFixed(4)} USD`
  return uncertainUsd > 0 ? `${cost} and at most ${uncertainUsd.toFixed(4)} more` : cost
}

/** Nobody tunes on the held-out half, and so it is not shown, except what would have run wrongly. */
function missed({ say, verdict, because, heldOut }: EvalResult): string {
  if (verdict === 'correct' || (heldOut && verdict !== 'wrong-execution')) return ''
  return `${verdict}: ${JSON.stringify(say)}\n  ${because ?? ''}\n`
}
