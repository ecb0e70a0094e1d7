// What a person is told where a plan or a request is refused, and the command to type next. Pure.

import { isDenial } from '../plan/issues.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** As this command's compiler words them, or the notary's. */
export function issueLines(issues: readonly TellableIssue[]): readonly string[] {
  return issues.flatMap(({ code, path, message, source, fix }) => [
    `${code} ${path}: ${message}`,
    ...(source === undefined ? [] : [`  because of: ${source}`]),
    ...(fix === undefined ? [] : [`  fix: ${fix}`]),
  ])
}

interface Refusal {
  readonly status: string
  readonly code?: string
  readonly message?: string
  readonly issues?: readonly TellableIssue[] | undefined
}

interface TellableIssue {
  readonly code: string
  readonly path: string
  readonly message: string
  readonly source?: string | undefined
  readonly fix?: string | undefined
}

/** A request that worker or notary did not take, as an error with the next command. */
export function refused(who: string, requestId: string, reply: Refusal): CommandError {
  const { code, status, message = '', issues = [] } = reply
  const said = message === '' ? '' : `: ${message}`
  // What only the notary can tell of a plan: which earlier results are this person's.
  const lines = [`${who} refused the request: ${code ?? status}${said}`, ...issueLines(issues)]
  return new CommandError(lines.join('\n'), {
    exitCode: [code, ...issues.map((one) => one.code)].some(isDenial)
      ? exitCodes.denied
      : exitCodes.failed,
    next: issues.some((one) => one.code === 'UNKNOWN_HANDLE')
      ? 'npx bulkhead runs list, then npx bulkhead runs show <id> for the handles of a run'
      : nextAfter(code, requestId),
  })
}

function nextAfter(code: string | undefined, requestId: string): string {
  switch (code) {
    case 'REQUEST_CONFLICT':
      return `npx bulkhead runs show ${requestId}   or run it without --request-id`
    case 'STORAGE_FULL':
    case 'AUDIT_UNAVAILABLE':
      return 'free some disk space (npx bulkhead doctor says where), then run it again'
    default:
      return 'npx bulkhead plan check <recipe|plan.yaml>'
  }
}
