// A server on loopback in the place of a model: each question whole, and its answer as JSON. What the
// answering throws fails the test that closes the server, and not the process that it is in.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Question {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** All of it, as it arrived. */
  readonly body: string
}

export interface Answer {
  /** Of HTTP. */
  readonly status: number
  readonly body: object
}

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
      const { status, body: told } = await answered({ path, headers, body })
      response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
      response.end(JSON.stringify(told))
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
