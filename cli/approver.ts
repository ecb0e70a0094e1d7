// The key with which the person at this command decides, and what they sign with it. Whoever calls has
// shown them the very bytes that are signed here.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signStatement } from '../security/approval/sign.ts'
import type { Statement } from '../security/approval/statement.ts'
import { ownerId } from '../security/people.ts'
import { type PrivateJwk, privateJwkSchema } from '../security/verify/keys.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** What is decided on: one card, or the digests of several that are decided together. */
export type Decision = Omit<Statement, 'iat'>

/** Whose commands use this account of the bus, `user:<id>`. */
export function userOfAccount(account: string): string {
  const [, id = ownerId] = /^cli-(.+)$/.exec(account) ?? []
  return `user:${id}`
}

/** `now`, milliseconds since the epoch. @throws CommandError without a key */
export function signDecision(state: string, decision: Decision, now: number): Promise<string> {
  const statement = { ...decision, iat: Math.floor(now / 1_000) }
  return signStatement(statement, readApproverKey(state))
}

/** @throws CommandError where there is none, or none that this user may read */
export function readApproverKey(state: string): PrivateJwk {
  const file = join(state, 'cli', 'approver.jwk.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    throw new CommandError(`there is no approver key to sign with (${code})`, {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead up --config bulkhead.yaml   (it makes one), as the user who runs it',
      cause,
    })
  }
  const key = privateJwkSchema.safeParse(toJson(text))
  if (key.success) return key.data
  throw new CommandError('the approver key is damaged', {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead doctor',
  })
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
