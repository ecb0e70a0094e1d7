// A model on loopback, which speaks as Ollama does, and as Anthropic where it is asked so: it answers every question that wants a
// shape with the first thing that fits it, and every other in the same few words. What it was asked, and
// with which headers, is kept as it arrived.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readExchange } from './model-servers.ts'

export interface HouseModel {
  readonly origin: string
  readonly asked: {
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }[]
  close(): Promise<void>
}

/** What it says where no shape is wanted. */
export const houseWords = 'The house says so.'

/** @param embed what a text means; absent: each text of a question something else */
export async function startHouseModel(embed?: (text: string) => number[]): Promise<HouseModel> {
  const asked: HouseModel['asked'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const path = request.url ?? ''
      asked.push({ path, headers: request.headers, body })
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer(path, JSON.parse(body), embed)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
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
