// A server on loopback in the place of a model: each question whole, and its answer as JSON or in events. What the
// answering throws fails the test that closes the server, and not the process that it is in.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Question {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** All of it, as it arrived. */
  readonly body: string
}

export interface WholeAnswer {
  /** Of HTTP. */
  readonly status: number
  readonly body: object
}

/** Half of the events, and the others when it is time for them. */
export interface AnswerInEvents {
  readonly status: number
  readonly events: readonly string[]
  readonly middle: Promise<void>
}

export type Answer = WholeAnswer | AnswerInEvents

export interface QuestionServer {
  readonly origin: string
  /** Again does nothing. @throws what the answering threw first, which its client saw as a 500 */
  close(): Promise<void>
}

export async function serveQuestions(
  answer: (question: Question) => Answer | Promise<Answer>,
): Promise<QuestionServer> {
  const thrown: unknown[] = []
  const answered = async (question: Question): Promise<Answer> => {
    try {
      return await answer(question)
    } catch (error) {
      thrown.push(error)
      return { status: 500, body: { error: { message: 'the answering threw' } } }
    }
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', async () => {
      const { url: path = '', headers } = request
      const told = await answered({ path, headers, body })
      if ('events' in told) return await stream(told, response)
      response.writeHead(told.status, { 'content-type': 'application/json', 'retry-after': '0' })
      response.end(JSON.stringify(told.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      const [first] = thrown.splice(0)
      if (first !== undefined) throw first
    },
  }
}

async function stream(
  { status, events, middle }: AnswerInEvents,
  response: ServerResponse,
): Promise<void> {
  const half = Math.ceil(events.length / 2)
  response.on('error', () => undefined)
  response.writeHead(status, { 'content-type': 'text/event-stream' })
  response.write(events.slice(0, half).join(''))
  await middle
  response.end(events.slice(half).join(''))
}
