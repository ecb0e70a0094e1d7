// A proposal of a plan out of what a person said. The model answers in a closed shape: a step is one of the
// actions that were offered, with arguments of the names that this action has, each as JSON in a text, so
// that no part of it is an open record (which structured output silently empties). What leaves here is the
// text of a plan and nothing more: the compiler and the notary read it as a stranger's.

import { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { askInJson } from './ask.ts'
import { unfit } from './failures.ts'
import type { manifest } from './manifest.ts'

type Propose = (typeof manifest)['actions']['propose']
type Input = z.output<Propose['input']>
type Offered = Input['actions'][number]

const system = [
  'You turn what a person asks of their assistant into a plan of steps, or ask one question back, or refuse.',
  'A step is one action that is offered, with its arguments. The value of an argument is JSON, as a text:',
  'a literal, or {"$from":"<step id>#/<pointer>"} for a part of an earlier step\'s result, or',
  '{"$handle":"<handle>","pointer":"/<pointer>"} for a part of an earlier request\'s.',
  'The last turn is what is asked now; those before it, and the handles, say what it may go on with. Where two',
  'handles fit and the person named neither, ask which. No handle but those listed exists.',
  'Use only what the person said; where it could mean two things, ask. Never make up an address, a name, an',
  'amount or an id. What cannot be done with the actions offered is refused, with the reason in one sentence.',
].join('\n')

const id = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
const sentence = z.string().max(1_000)

export async function propose(
  { provider, model, maxMicroUsd, maxOutputTokens, ...asked }: Input,
  context: ActionContext,
): Promise<z.output<Propose['output']>> {
  const question = {
    system,
    user: wordsFor(asked),
    maxOutputTokens,
    schema: schemaOf(asked.actions),
  }
  const call = { provider, model, maxMicroUsd }
  const { value, ...rest } = await askInJson(context, call, question)
  const parsed = answerShape(asked.actions).safeParse(value)
  if (!parsed.success) throw unfit(String(parsed.error.issues[0]?.code))
  const { answer } = parsed.data
  const none = { proposal: '', text: '', options: [] as string[] }
  switch (answer.kind) {
    case 'plan':
      return { ...none, kind: 'plan', proposal: toPlan(answer), ...rest }
    case 'question':
      return { ...none, kind: 'question', text: answer.text, options: answer.options, ...rest }
    case 'refusal':
      return { ...none, kind: 'refusal', text: answer.text, ...rest }
  }
}

function wordsFor({
  words,
  now,
  actions,
  handles,
  issues,
}: Omit<Input, 'provider' | 'model' | 'maxMicroUsd' | 'maxOutputTokens'>): string {
  return [
    // What seldom changes first, so that a provider can keep it.
    `Actions, as JSON: ${JSON.stringify(actions)}`,
    `Handles, as JSON: ${JSON.stringify(handles)}`,
    `Now: ${now}`,
    `The person's turns, as JSON: ${JSON.stringify(words)}`,
    ...(issues.length === 0
      ? []
      : [`Your last plan was refused for these reasons, as JSON: ${JSON.stringify(issues)}`]),
  ].join('\n\n')
}

const text = { type: 'string' }
const listOf = (items: object) => ({ type: 'array', items })
const closed = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
const kind = (name: string) => ({ type: 'string', enum: [name] })

/** For the provider: a union over the kinds of answer, and over the actions that a step may be. */
function schemaOf(actions: readonly Offered[]) {
  const step = ({ action, args }: Offered) =>
    closed({
      id: text,
      action: kind(action),
      args: listOf(
        closed({
          name: args.length === 0 ? text : { type: 'string', enum: args.map(({ name }) => name) },
          json: text,
        }),
      ),
      needs: listOf(text),
    })
  const plan = closed({
    kind: kind('plan'),
    goal: text,
    steps: listOf({ anyOf: actions.map(step) }),
    answerFrom: listOf(text),
  })
  const question = closed({ kind: kind('question'), text, options: listOf(text) })
  const refusal = closed({ kind: kind('refusal'), text })
  return closed({ answer: { anyOf: [plan, question, refusal] } })
}

/** The same shape, held to here. */
function answerShape(actions: readonly Offered[]) {
  const step = z
    .strictObject({
      id,
      action: z.enum(actions.map(({ action }) => action)),
      args: z.array(z.strictObject({ name: z.string(), json: z.string().max(16_000) })).max(40),
      needs: z.array(id).max(40),
    })
    .refine(({ action, args }) => {
      const names = new Set(
        actions.find((one) => one.action === action)?.args.map(({ name }) => name),
      )
      return args.every(({ name }) => names.delete(name))
    })
  const plan = z.strictObject({
    kind: z.literal('plan'),
    goal: sentence,
    steps: z.array(step).min(1).max(100),
    answerFrom: z.array(id).max(100),
  })
  const question = z.strictObject({
    kind: z.literal('question'),
    text: sentence.min(1),
    options: z.array(z.string().max(200)).max(10),
  })
  const refusal = z.strictObject({ kind: z.literal('refusal'), text: sentence.min(1) })
  return z.strictObject({ answer: z.discriminatedUnion('kind', [plan, question, refusal]) })
}

type Plan = Extract<z.output<ReturnType<typeof answerShape>>['answer'], { readonly kind: 'plan' }>

function toPlan({ goal, steps, answerFrom }: Plan): string {
  const plan = {
    version: 1,
    goal,
    steps: steps.map(({ id: step, action, args, needs }) => {
      const dot = action.indexOf('.')
      return {
        id: step,
        agent: action.slice(0, dot),
        action: action.slice(dot + 1),
        args: Object.fromEntries(args.map(({ name, json }) => [name, parsed(json)])),
        needs,
      }
    }),
    answer: { from: answerFrom },
  }
  const proposal = JSON.stringify(plan)
  if (proposal.length > 64 * 1024) throw unfit('the plan is longer than it may be')
  return proposal
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw unfit('an argument is no JSON')
  }
}
