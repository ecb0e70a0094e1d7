// A model on loopback, which speaks as Ollama does, and as Anthropic where it is asked so: it answers every
// question that wants a shape with the first thing that fits it, and every other in the same few words; in
// events where it is asked for them. What it was asked, and with which headers, is kept as it arrived.

import type { Provider } from '../../agents/model/providers/port.ts'
import { readExchange } from './model-servers.ts'
import { streamOf } from './model-streams.ts'
import { type Question, type QuestionServer, serveQuestions } from './question-server.ts'

export interface HouseModel extends QuestionServer {
  readonly asked: Question[]
  /** From now on an answer in events stops in its middle, until the returned function is called. */
  pause(): () => void
}

/** What it says where no shape is wanted. */
export const houseWords = 'The house says so.'

/** @param embed what a text means; absent: each text of a question something else */
export async function startHouseModel(embed?: (text: string) => number[]): Promise<HouseModel> {
  const asked: HouseModel['asked'] = []
  let paused = Promise.resolve()
  const server = await serveQuestions((question) => {
    asked.push(question)
    const sent = JSON.parse(question.body)
    const body = answer(question.path, sent, embed)
    if (sent.stream !== true) return { status: 200, body }
    return { status: 200, events: eventsOf(question.path, body), middle: paused }
  })
  return {
    ...server,
    asked,
    pause() {
      let goOn: () => void = () => undefined
      paused = new Promise<void>((resolve) => {
        goOn = resolve
      })
      return () => goOn()
    },
  }
}

function eventsOf(path: string, body: object): readonly string[] {
  const provider: Provider = path === '/v1/messages' ? 'anthropic' : 'local'
  const exchange = { ...{ synthetic: '', path, status: 200, headers: {} }, body }
  return streamOf(provider, exchange)?.events ?? []
}

function answer(
  path: string,
  asked: Readonly<Record<string, unknown>>,
  embed?: (text: string) => number[],
): object {
  const usage = { prompt_tokens: 40, completion_tokens: 8 }
  const model = asked['model']
  if (path.endsWith('/embeddings')) {
    const texts = Array.isArray(asked['input']) ? asked['input'] : []
    const data = texts.map((text, index) => ({
      index,
      embedding: embed?.(String(text)) ?? [1, index],
    }))
    return { model, data, usage }
  }
  const format = memberOf(asked['response_format'], 'json_schema')
  const schema = memberOf(format, 'schema')
  if (path === '/v1/messages') return readExchange('anthropic', 'words').body as object
  const content = schema === undefined ? houseWords : JSON.stringify(fitting(schema))
  return { model, choices: [{ index: 0, message: { content }, finish_reason: 'stop' }], usage }
}

/** The smallest value that a schema lets through; of several kinds the last, which refuses. */
function fitting(schema: unknown): unknown {
  const kinds = memberOf(schema, 'anyOf')
  if (Array.isArray(kinds)) return fitting(kinds.at(-1))
  const choices = memberOf(schema, 'enum')
  if (Array.isArray(choices)) return choices[0]
  switch (memberOf(schema, 'type')) {
    case 'object':
      return Object.fromEntries(
        Object.entries(memberOf(schema, 'properties') ?? {}).map(([name, one]) => [
          name,
          fitting(one),
        ]),
      )
    case 'array':
      return []
    case 'null':
      return null
    default:
      return 'no'
  }
}

function memberOf(value: unknown, name: string): unknown {
  return value instanceof Object && name in value
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined
}
