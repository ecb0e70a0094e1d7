// Who may make which call: the table of contracts.md. The bus enforces the same; asking again here
// means that a slip in the generated accounts file opens nothing.

import { type HouseholdUser, userOf } from './users.ts'

export const notaryCalls = [
  'request',
  'cancel',
  'recover',
  'schedule',
  'approve',
  'admit',
  'authorize',
  'settle',
  'boot',
  'event',
  'quarantine',
  'query',
  'head',
] as const
export type NotaryCall = (typeof notaryCalls)[number]

const callers: Readonly<Record<NotaryCall, readonly string[]>> = {
  request: ['cli', 'console', 'ingress'],
  cancel: ['cli', 'console'],
  recover: ['cli', 'console'],
  schedule: ['cli', 'console'],
  approve: ['cli', 'console', 'ingress'],
  admit: ['worker'],
  authorize: ['worker'],
  settle: ['worker'],
  boot: ['supervisor'],
  event: ['supervisor', 'gateway'],
  quarantine: ['supervisor'],
  query: ['cli', 'console'],
  head: ['worker', 'cli', 'console'],
}

/**
 * `account` is what the server mapped, never what a message says. `cli-<id>` of a user of this
 * household may do what `cli` may; of anybody else it is a stranger.
 */
export function mayCall(
  call: NotaryCall,
  account: string,
  users: readonly HouseholdUser[],
): boolean {
  const isEnrolled = account.startsWith('cli-') && userOf(account, users) !== undefined
  return callers[call].includes(isEnrolled ? 'cli' : account)
}
