// `notary.approve`: a person sees what they are asked, decides, and sees and takes back what they have
// granted. Deciding needs a signature, and who called opens nothing by itself; the rest shows or takes
// away. What is somebody else's is answered like what does not exist.

import { batchDigest } from '../security/approval/statement.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type {
  ApprovalSummary,
  ApproveCall,
  ApproveReply,
  GrantSummary,
} from './approval-contract.ts'
import type { ApprovalHead, ApprovalRecord, GrantRecord } from './approval-state.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import { type Decided, decideApproval, proveStatement } from './decide-approval.ts'
import { periods, usedInPeriod } from './grants.ts'
import { isForgotten, noteApproval } from './questions.ts'
import type { State } from './state.ts'
import { mayDecideFor, userOf } from './users.ts'

type Call<Op extends ApproveCall['op']> = Extract<ApproveCall, { op: Op }>
interface Caller {
  readonly account: string
  readonly user: string
}

/** @throws StoreError */
export async function approve(
  context: NotaryContext,
  call: ApproveCall,
  account: string,
): Promise<ApproveReply> {
  const user = userOf(account, context.users)
  if (user === undefined) {
    return { status: 'REFUSED', code: 'NOT_PERMITTED', message: 'this entry point acts for nobody' }
  }
  const caller = { account, user }
  switch (call.op) {
    case 'list':
      return list(context, call, user)
    case 'show':
      return show(context, call, user)
    case 'decide':
      return decide(context, call, caller)
    case 'grants': {
      const { state } = context.store
      const present = { state, now: context.clock.now() }
      const grants = state.grantsOf(user).map((grant) => summariseGrant(present, grant))
      return { status: 'GRANTS', grants }
    }
    case 'revoke':
      return revoke(context, call, caller)
    case 'count':
      return count(context, call, user)
  }
}

/** Those for whom the caller may decide. */
function askedOf({ users }: NotaryContext, caller: string): readonly string[] {
  return users.map(({ id }) => `user:${id}`).filter((user) => mayDecideFor(caller, user, users))
}

function list(context: NotaryContext, call: Call<'list'>, user: string): ApproveReply {
  const { state } = context.store
  const now = context.clock.now()
  const known = askedOf(context, user).flatMap((one) => state.approvalsOf(one, 0))
  const told = known
    .map((one) => summarise(one, now))
    .filter(({ state: is, requestId }) => {
      const request = requestId === undefined ? undefined : state.request(requestId)
      const isCancelled = request !== undefined && request.cancelled_at !== null
      return call.all || (is === 'open' && !isCancelled)
    })
    .sort((one, other) => one.createdAt - other.createdAt)
  return { status: 'APPROVALS', approvals: told.slice(-call.limit) }
}

/** One, or all of a batch that are to be decided together; nothing for whom they are not meant. */
function questionsOf(
  context: NotaryContext,
  state: State,
  { id, user }: { readonly id: string; readonly user: string },
): readonly ApprovalRecord[] {
  const one = state.approval(id)
  const all = one === undefined ? state.approvalsOfBatch(id) : [one]
  return all.filter((each) => mayDecideFor(user, each.user, context.users))
}

function show(context: NotaryContext, { id }: Call<'show'>, user: string): ApproveReply {
  const now = context.clock.now()
  const questions = questionsOf(context, context.store.state, { id, user })
  const [first] = questions
  if (first === undefined) {
    return { status: 'REFUSED', code: 'UNKNOWN_APPROVAL', message: 'no such approval' }
  }
  if (first.id === id) {
    if (isForgotten(first)) {
      const message = 'it was decided so long ago that its card is no longer kept'
      return { status: 'REFUSED', code: 'UNKNOWN_APPROVAL', message }
    }
    const { statement, key, batch_of: of } = first
    const batch: readonly string[] | undefined = of === null ? undefined : JSON.parse(of)
    const together = batch === undefined ? {} : { batch: [...batch] }
    const decision = statement === null || key === null ? null : { statement, key, ...together }
    return { status: 'SHOWN', approval: summarise(first, now), card: first.card, decision }
  }
  const open = questions.filter((one) => summarise(one, now).state === 'open')
  const digests = open.map(({ digest }) => digest)
  const title = `${open.length} questions at once`
  const approval = { ...summarise(open[0] ?? first, now), id, title, digest: batchDigest(digests) }
  return { status: 'SHOWN', approval, card: canonicalJson(digests), decision: null }
}

async function decide(
  context: NotaryContext,
  { id, statement: jws }: Call<'decide'>,
  { account, user }: Caller,
): Promise<ApproveReply> {
  const proven = await proveStatement(context, jws)
  const takesAway = !('refusal' in proven) && proven.statement.decision === 'deny'
  return context.store.commit(takesAway ? 'fact' : 'effect', (writer): ApproveReply => {
    const [first, ...others] = questionsOf(context, writer.state, { id, user })
    // Before the signature: nobody learns from one what there is.
    const decided: Decided =
      first === undefined
        ? { refusal: unknownApproval }
        : 'refusal' in proven
          ? proven
          : decideApproval(context, writer, { id, jws, proven, questions: [first, ...others] })
    if ('decided' in decided) {
      return { status: 'DECIDED', approval: summarise(decided.decided, writer.now) }
    }
    const correlation = first?.request ?? ''
    const about = { call: 'approve', account, subject: id, correlation }
    recordRefusal(context, writer, { ...about, ...decided.refusal })
    const { code, message } = decided.refusal
    return { status: 'REFUSED', code, message }
  })
}

const unknownApproval: Refusal = { code: 'UNKNOWN_APPROVAL', message: 'no such approval' }

function revoke(
  context: NotaryContext,
  { grant: id }: Call<'revoke'>,
  { account, user }: Caller,
): Promise<ApproveReply> {
  return context.store.commit('fact', (writer): ApproveReply => {
    const grant = writer.state.grant(id)
    if (grant === undefined || grant.user !== user) {
      const refusal = { code: 'UNKNOWN_GRANT', message: 'no such grant' } as const
      const about = { call: 'approve', account, subject: id, correlation: '' }
      recordRefusal(context, writer, { ...about, ...refusal })
      return { status: 'REFUSED', ...refusal }
    }
    const approval = writer.state.approval(grant.approval)
    if (grant.revoked_at === null && approval !== undefined) {
      writer.state.revokeGrant(id, writer.now)
      noteApproval(writer, approval, { event: 'revoked', grant: id, by: user, channel: account })
    }
    return { status: 'REVOKED', grant: summariseGrant(writer, grant) }
  })
}

/** Weeks of seven days, the present one last. */
function count(context: NotaryContext, { weeks }: Call<'count'>, user: string): ApproveReply {
  const { state } = context.store
  const now = context.clock.now()
  const begins = Math.max(0, now - weeks * periods.week)
  const asked = state.approvalsOf(user, begins)
  const told = Array.from({ length: weeks }, (_, week) => {
    const from = Math.max(0, now - (weeks - week) * periods.week)
    const within = asked.filter(({ created_at: at }) => at > from && at <= from + periods.week)
    const became = (...states: readonly string[]) =>
      within.filter((one) => states.includes(summarise(one, now).state)).length
    const decided = { approved: became('approved', 'used'), denied: became('denied', 'expired') }
    return { from, asked: within.length, ...decided }
  })
  const unused = state
    .grantsOf(user)
    .filter(({ id }) => state.grantUses(id, begins) === 0)
    .map((grant) => summariseGrant({ state, now }, grant))
  return { status: 'COUNT', weeks: told, unused }
}

function summarise(approval: ApprovalHead, now: number): ApprovalSummary {
  const { id, digest, user, title, batch, request, schedule, step } = approval
  // Written down when somebody next asks for it.
  const isOver = approval.state === 'open' && now >= approval.expires_at
  const isGone = approval.voided_at !== null && approval.state !== 'denied'
  return {
    ...{ id, digest, user, title, batch },
    state: isOver || isGone ? 'expired' : approval.state,
    ...(request === null ? {} : { requestId: request }),
    ...(schedule === null ? {} : { schedule }),
    ...(step === null ? {} : { step }),
    createdAt: approval.created_at,
    expiresAt: approval.expires_at,
    decidedAt: approval.decided_at,
  }
}

function summariseGrant(
  present: { readonly state: State; readonly now: number },
  grant: GrantRecord,
): GrantSummary {
  const { id, user, name, step, action, per, count: most } = grant
  return {
    ...{ id, user, name, step, action, per, count: most },
    used: usedInPeriod(present, grant),
    usedEver: present.state.grantUses(id, -1),
    createdAt: grant.created_at,
    expiresAt: grant.expires_at,
    lastUsedAt: present.state.lastGrantUse(id),
  }
}
