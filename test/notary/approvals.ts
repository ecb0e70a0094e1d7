// A household whose people hold approver keys, and the ways in which a test lets one of them decide.

import type { ApproveReply } from '../../notary/approval-contract.ts'
import type { HouseholdUser } from '../../notary/users.ts'
import type { Decide } from '../../plan/policy.ts'
import { signStatement } from '../../security/approval/sign.ts'
import type { GrantTerms, Statement } from '../../security/approval/statement.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { decide } from '../support/policy.ts'
import { createHarness, type Harness, type HarnessOptions, issuer } from './harness.ts'

const pairs = await Promise.all([1, 2, 3, 4].map(() => generateKeyPairJwk()))
const [ann, bob, cat, stranger] = pairs
if (ann === undefined || bob === undefined || cat === undefined || stranger === undefined) {
  throw new Error('keys')
}
/** Bob may decide for the owner, cat for nobody but herself; nobody knows the stranger. */
export const keys = { owner: ann.privateJwk, bob: bob.privateJwk, cat: cat.privateJwk }
export const strangersKey = stranger.privateJwk

export const users: readonly HouseholdUser[] = [
  {
    id: 'owner',
    accounts: ['cli', 'console'],
    approvers: [ann.publicJwk],
    approvesFor: [],
    sees: [],
  },
  {
    id: 'bob',
    accounts: ['cli-bob'],
    approvers: [bob.publicJwk],
    approvesFor: ['owner'],
    sees: [],
  },
  { id: 'cat', accounts: ['cli-cat'], approvers: [cat.publicJwk], approvesFor: [], sees: [] },
]

/** Besides what cannot be undone, these actions are asked about. */
export const askingFor = (...actions: readonly string[]): Decide => asking(actions, decide)

/** The same beside other rules. */
export const asking =
  (actions: readonly string[], others: Decide): Decide =>
  (question) =>
    question.kind === 'do' && actions.includes(question.action)
      ? { verdict: 'ask', rules: ['ask.of-a-test'] }
      : others(question)

export function askingHarness(options: HarnessOptions = {}): Promise<Harness> {
  return createHarness({ users, ...options })
}

export type Shown = Extract<ApproveReply, { status: 'SHOWN' }>

export async function show(harness: Harness, id: string, account = 'cli'): Promise<Shown> {
  const reply = await harness.notary.approve(account, { op: 'show', id })
  if (reply.status !== 'SHOWN') throw new Error(JSON.stringify(reply))
  return reply
}

export interface Saying {
  readonly decision?: Statement['decision']
  readonly grant?: GrantTerms
  readonly key?: unknown
  readonly account?: string
  /** Laid over what an honest person signs. */
  readonly change?: Partial<Statement>
}

/** What an honest person signs who was shown the card. */
export async function statementOn(
  harness: Harness,
  id: string,
  { decision = 'approve', grant, key = keys.owner, change = {} }: Saying = {},
): Promise<string> {
  const { approval } = await show(harness, id)
  const said: Statement = {
    iss: 'user:owner',
    aud: issuer,
    apr: id,
    card_s256: approval.digest,
    decision,
    iat: Math.floor(harness.clock.time / 1_000),
    ...(grant === undefined ? {} : { grant }),
    ...change,
  }
  return signStatement(said, key)
}

export async function say(
  harness: Harness,
  id: string,
  saying: Saying = {},
): Promise<ApproveReply> {
  const statement = await statementOn(harness, id, saying)
  return harness.notary.approve(saying.account ?? 'cli', { op: 'decide', id, statement })
}

/** The questions that are open, the oldest first. */
export async function openQuestions(harness: Harness, account = 'cli') {
  const reply = await harness.notary.approve(account, { op: 'list', all: false, limit: 500 })
  if (reply.status !== 'APPROVALS') throw new Error(JSON.stringify(reply))
  return reply.approvals
}

export async function onlyQuestion(harness: Harness): Promise<string> {
  const [first, ...others] = await openQuestions(harness)
  if (first === undefined || others.length > 0) throw new Error('not one open question')
  return first.id
}
