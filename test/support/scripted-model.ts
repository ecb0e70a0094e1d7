// A model of the house on loopback that is told in a test what to answer: it speaks as Ollama does, keeps
// what it is asked, and leaves the rest to the agent. What is asked without a script is refused, as by a
// model that does not understand.

import { z } from 'zod'
import { serveQuestions } from './question-server.ts'

/** What the agent is told of one question. */
export interface AskedOfModel {
  /** All of the body, as it arrived. */
  readonly body: string
  readonly model: string
  /** The person's turns. */
  readonly words: readonly string[]
  /** Earlier results that it may name, as it is told of them. */
  readonly handles: readonly { readonly handle: string; readonly type: string }[]
  /** What was wrong with the last plan, as the model is told; undefined in the first round. */
  readonly issues: unknown
}

export interface ModelStep {
  readonly id: string
  readonly action: string
  readonly args: Readonly<Record<string, unknown>>
  readonly needs?: readonly string[]
}

/** A number is an HTTP status. */
export type Scripted =
  | { readonly plan: readonly ModelStep[] }
  | { readonly question: string; readonly options: readonly string[] }
  | { readonly refusal: string }
  | number

export type Script = (asked: AskedOfModel) => Scripted | Promise<Scripted>

export interface ScriptedModel {
  readonly origin: string
  readonly asked: AskedOfModel[]
  /** What it answers from now on. */
  answer(script: Script): void
  /** @throws what a script threw, or what was asked in no shape that it knows */
  close(): Promise<void>
}

const bodyShape = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
})

export async function startScriptedModel(): Promise<ScriptedModel> {
  const asked: AskedOfModel[] = []
  let script: Script = () => ({ refusal: 'I know nothing of this.' })
  const server = await serveQuestions(async ({ body }) => {
    const one = readAsked(body)
    asked.push(one)
    const said = await script(one)
    return typeof said === 'number'
      ? { status: said, body: { error: { message: 'no' } } }
      : { status: 200, body: completion(one, said) }
  })
  return {
    ...server,
    asked,
    answer(next) {
      script = next
    },
  }
}

function readAsked(body: string): AskedOfModel {
  const { model, messages } = bodyShape.parse(JSON.parse(body))
  const user = messages.find(({ role }) => role === 'user')?.content ?? ''
  const after = (title: string) => {
    const line = user.split('\n\n').find((part) => part.startsWith(title))
    return line === undefined ? undefined : JSON.parse(line.slice(title.length))
  }
  return {
    body,
    model,
    words: z.array(z.string()).parse(after("The person's turns, as JSON: ")),
    handles: z
      .array(z.looseObject({ handle: z.string(), type: z.string() }))
      .parse(after('Handles, as JSON: ')),
    issues: after('Your last plan was refused for these reasons, as JSON: '),
  }
}

function completion({ model }: AskedOfModel, said: Exclude<Scripted, number>) {
  const content = JSON.stringify({ answer: answerOf(said) })
  return {
    model,
    choices: [{ index: 0, message: { content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 40, completion_tokens: 8 },
  }
}

function answerOf(said: Exclude<Scripted, number>) {
  if ('question' in said) return { kind: 'question', text: said.question, options: said.options }
  if ('refusal' in said) return { kind: 'refusal', text: said.refusal }
  const steps = said.plan.map(({ id, action, args, needs = [] }) => ({
    ...{ id, action, needs },
    args: Object.entries(args).map(([name, value]) => ({ name, json: JSON.stringify(value) })),
  }))
  return { kind: 'plan', goal: 'as asked', steps, answerFrom: said.plan.map(({ id }) => id) }
}
