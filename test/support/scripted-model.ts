// A model of the house on loopback that is told in a test what to answer: it speaks as Ollama does, keeps
// what it is asked, and leaves the rest to the agent. What is asked without a script is refused, as by a
// model that does not understand.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

/** What the agent is told of one question. */
export interface AskedOfModel {
  /** All of the body, as it arrived. */
  readonly body: string
  readonly model: string
  /** The person's turns. */
  readonly words: readonly string[]
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
  close(): Promise<void>
}

const bodyShape = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
})

export async function startScriptedModel(): Promise<ScriptedModel> {
  const asked: AskedOfModel[] = []
  let script: Script = () => ({ refusal: 'I know nothing of this.' })
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', async () => {
      const one = readAsked(body)
      asked.push(one)
      const said = await script(one)
      const status = typeof said === 'number' ? said : 200
      const told = typeof said === 'number' ? { error: { message: 'no' } } : completion(one, said)
      response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
      response.end(JSON.stringify(told))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer(next) {
      script = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
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
