// Collects the issues of one plan. A plan may be hostile, and its issues are shown to people and
// logged: what they quote is cut and holds no control character, and after a hundred the rest of the
// plan is not looked at, so that a file of mistakes costs no more than one of steps.

import type { Issue } from './issues.ts'
import { nearest } from './nearest.ts'

const maxIssues = 100
const maxMessage = 300
/** An honest pointer is a few names long; a name may be quoted whole by YAML's and zod's messages. */
const maxPath = 500

export interface Findings {
  readonly issues: readonly Issue[]
  /** Nothing more is kept: stop looking. */
  readonly full: boolean
  /** `slip`: a name that was not found, and those it may have been meant for. */
  add(issue: Issue, slip?: { readonly name: string; readonly known: Iterable<string> }): void
}

export function createFindings(): Findings {
  const issues: Issue[] = []
  return {
    issues,
    get full() {
      return issues.length >= maxIssues
    },
    add(issue, slip) {
      if (issues.length >= maxIssues) return
      const suggestion = slip === undefined ? {} : nearest(slip.name, slip.known)
      issues.push(toPlainIssue({ ...issue, ...suggestion }))
    },
  }
}

function toPlainIssue(issue: Issue): Issue {
  const { path, message, fix } = issue
  const told = { path: plain(path, maxPath), message: plain(message, maxMessage) }
  return { ...issue, ...told, ...(fix === undefined ? {} : { fix: plain(fix, maxMessage) }) }
}

/** Control and format characters could fool a terminal or turn the reading order. */
function plain(text: string, maxCharacters: number): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}...` : text
  return cut.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
