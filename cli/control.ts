// The supervisor's control socket: HTTP over a Unix socket in the state folder, readable by its
// owner alone. Status and stop go here and not over the bus, so that they work when the bus does not.

import { request } from 'node:http'
import { CommandError, exitCodes } from './exit-codes.ts'

const timeoutMs = 10_000
const maxBytes = 4 * 1024 * 1024

/**
 * One request, one JSON answer.
 * @throws CommandError when nobody listens there
 */
export function callControl(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  /** Longer for what ends or starts something. */
  waitMs = timeoutMs,
): Promise<{ readonly status: number; readonly body: unknown }> {
  if (socketPath === '') {
    // A person's folder names no socket.
    const said = "the platform itself is its owner's to look after"
    return Promise.reject(
      new CommandError(said, { exitCode: exitCodes.failed, next: 'npx bulkhead runs list' }),
    )
  }
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new CommandError('the platform is not running', {
          exitCode: exitCodes.failed,
          next: 'npx bulkhead up',
          cause,
        }),
      )
    const call = request({ socketPath, method, path, timeout: waitMs }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxBytes) call.destroy(new Error('the answer is too long'))
      })
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: text === '' ? null : JSON.parse(text) })
        } catch (cause) {
          fail(cause)
        }
      })
      response.on('error', fail)
    })
    call.on('timeout', () => call.destroy(new Error('no answer in time')))
    call.on('error', fail)
    call.end()
  })
}
