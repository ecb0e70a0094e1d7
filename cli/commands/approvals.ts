// `approvals`, `approve`, `deny`, `grants`: what a person is asked, what they decide, and what they have
// granted. What is signed is what was shown: the card in words comes first, from the very bytes.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { cardWords } from '../../plan/card-words.ts'
import { readCard } from '../../plan/read-card.ts'
import { StatementError, verifyKeptApproval } from '../../security/approval/verify.ts'
import { type PublicJwk, publicJwkSchema, toPublicJwk } from '../../security/verify/keys.ts'
import {
  type AlwaysWords,
  approvalTable,
  countLines,
  grantTable,
  questionLines,
  readGrant,
} from '../approval-words.ts'
import { readApproverKey } from '../approver.ts'
import { ask, decide, expandId, listApprovals, openQuestion } from '../decide-approval.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { withSession } from '../session.ts'

export function approvalsListCommand(
  output: Output,
  state: string,
  all: boolean,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const approvals = await listApprovals(session, all)
    output.data(approvals, () => approvalTable(approvals))
    return exitCodes.completed
  })
}

export function approvalsShowCommand(
  output: Output,
  state: string,
  { id, full }: { readonly id: string; readonly full: boolean },
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const question = await openQuestion(session, id)
    const documents = question.shown.map(({ approval, bytes, decision }) => ({
      approval,
      card: bytes,
      decision,
    }))
    output.data(documents.length === 1 ? documents[0] : documents, () => [
      ...questionLines(question, full),
      ...(question.shown.some(({ approval }) => approval.state === 'open')
        ? [`npx bulkhead approve ${question.id}   or   npx bulkhead deny ${question.id}`]
        : []),
    ])
    return exitCodes.completed
  })
}

export function approveCommand(
  output: Output,
  state: string,
  given: {
    readonly id: string
    readonly decision: 'approve' | 'deny'
    readonly always: AlwaysWords
  },
): Promise<ExitCode> {
  const { id, decision, always } = given
  const grant = readGrant(always, Date.now())
  return withSession(state, async (session) => {
    const question = await openQuestion(session, id)
    for (const line of questionLines(question, false)) output.talk(line)
    const verdict = { decision, ...(grant === undefined ? {} : { grant }) }
    const { approvals, untold } = await decide(session, question, verdict)
    for (const requestId of untold) {
      output.talk(`run ${requestId} could not be told now; it asks again within the hour`)
    }
    const word = decision === 'approve' ? 'approved' : 'denied'
    output.data({ id: question.id, approvals, decision: word, grant: grant ?? null }, () =>
      approvals.map((one) => `${one}: ${word}`),
    )
    return exitCodes.completed
  })
}

/** What `approvals show --json` prints of one. */
const keptSchema = z.looseObject({
  card: z.string(),
  decision: z.looseObject({
    statement: z.string(),
    key: z.string(),
    batch: z.array(z.string()).optional(),
  }),
})

/** Needs no platform: a kept approval, and the public half of the key that may have signed it. */
export async function approvalsVerifyCommand(
  output: Output,
  state: string,
  { file, key: keyFile }: { readonly file: string; readonly key: string | undefined },
): Promise<ExitCode> {
  const kept = keptSchema.safeParse(readJson(file))
  if (!kept.success) {
    throw new CommandError(`${file} is no decided approval`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead approvals show <id> --json > approval.json',
    })
  }
  const { card, decision } = kept.data
  const key = keyFile === undefined ? toPublicJwk(readApproverKey(state)) : readKey(keyFile)
  try {
    const { statement, batch } = decision
    const verified = await verifyKeptApproval({ card, statement, key, batch })
    const { iss, iat, apr, decision: verdict, grant } = verified.statement
    const at = new Date(iat * 1_000).toISOString()
    const document = { ok: true, by: iss, at, decision: verdict, approval: apr, kid: verified.kid }
    output.data({ ...document, grant: grant ?? null }, () => [
      ...cardWords(readCard(card)),
      '',
      `${iss} decided to ${verdict} exactly this at ${at} (${apr})`,
      `signed with key ${verified.kid}`,
    ])
    return exitCodes.completed
  } catch (cause) {
    if (!(cause instanceof StatementError)) throw cause
    output.data({ ok: false, code: cause.code }, () => [])
    output.problem(`it does not hold: ${cause.code}: ${cause.message}`)
    return exitCodes.denied
  }
}

function readKey(file: string): PublicJwk {
  const key = publicJwkSchema.safeParse(toPublicPart(readJson(file)))
  if (key.success) return key.data
  throw new CommandError(`${file} is no Ed25519 public key as a JWK`, {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead approvals verify <file> --key approver.jwk.json',
  })
}

function toPublicPart(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { kty, crv, x } = value as Partial<Record<'kty' | 'crv' | 'x', unknown>>
  return { kty, crv, x }
}

/** @throws CommandError */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new CommandError(`${file} cannot be read as JSON`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead approvals verify <file>',
      cause,
    })
  }
}

export function approvalsCountCommand(
  output: Output,
  state: string,
  weeks: number,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { status: _, ...count } = await ask(session, { op: 'count', weeks }, 'COUNT')
    output.data(count, () => countLines(count))
    return exitCodes.completed
  })
}

export function grantsCommand(output: Output, state: string): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { grants } = await ask(session, { op: 'grants' }, 'GRANTS')
    output.data(grants, () => grantTable(grants))
    return exitCodes.completed
  })
}

export function grantsRevokeCommand(
  output: Output,
  state: string,
  given: string,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { grants } = await ask(session, { op: 'grants' }, 'GRANTS')
    const known = grants.map(({ id }) => id)
    const id = expandId(given, known, 'grant')
    const { grant } = await ask(session, { op: 'revoke', grant: id }, 'REVOKED')
    output.data(grant, () => [`${grant.id}: revoked; from now on you are asked again`])
    return exitCodes.completed
  })
}
