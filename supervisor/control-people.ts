// The control socket's calls on people: who is enrolled, to enrol somebody, to end that. What is wrong
// with the call is an answer; nothing here is thrown at the socket. Undefined for other calls.

import { ownerId, userIdSchema } from '../security/people.ts'
import { PkiError } from '../security/pki/pki-error.ts'
import { SupervisorError } from './codes.ts'
import type { Answer } from './control.ts'
import type { Enrolment } from './enrolment.ts'

export async function answerPeople(
  call: string,
  parameters: URLSearchParams,
  enrolment: Enrolment | undefined,
): Promise<Answer | undefined> {
  if (!/^(GET|POST) \/users(\/|$)/.test(call)) return undefined
  if (enrolment === undefined) return refuse(503, 'STARTING', 'the platform is still starting')
  if (call === 'GET /users') return { status: 200, body: enrolment.list() }
  const id = userIdSchema.safeParse(parameters.get('id'))
  if (!id.success || id.data === ownerId) {
    const message =
      'a person is called a-z, then a-z, digits and hyphens, at most 24, and not owner'
    return refuse(400, 'USAGE', message)
  }
  try {
    switch (call) {
      case 'POST /users/add':
        return { status: 200, body: await enrolment.add(id.data) }
      case 'POST /users/remove':
        await enrolment.remove(id.data)
        return { status: 200, body: { removed: id.data } }
      default:
        return refuse(404, 'USAGE', 'no such call')
    }
  } catch (error) {
    if (error instanceof PkiError) return refuse(409, error.code, error.message)
    if (!(error instanceof SupervisorError)) throw error
    return refuse(error.code === 'USAGE' ? 400 : 409, error.code, error.message, error.next)
  }
}

function refuse(status: number, code: string, message: string, next?: string): Answer {
  return { status, body: { code, message, ...(next === undefined ? {} : { next }) } }
}
