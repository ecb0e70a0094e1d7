// Who may make which call: the table of contracts.md. The bus enforces the same; asking again here
// means that a slip in the generated accounts file opens nothing.

export const notaryCalls = [
  'request',
  'cancel',
  'recover',
  'schedule',
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
  admit: ['worker'],
  authorize: ['worker'],
  settle: ['worker'],
  boot: ['supervisor'],
  event: ['supervisor', 'gateway'],
  quarantine: ['supervisor'],
  query: ['cli', 'console'],
  head: ['worker', 'cli', 'console'],
}

/** `account` is what the server mapped, never what a message says. */
export function mayCall(call: NotaryCall, account: string): boolean {
  return callers[call].includes(account)
}

/**
 * The principal an entry point acts for, `user:<id>`. Ingress acts for the person of a standing registration; there
 * are none yet, so it acts for nobody.
 */
export function userOf(account: string, owner: string): string | undefined {
  return account === 'cli' || account === 'console' ? `user:${owner}` : undefined
}
