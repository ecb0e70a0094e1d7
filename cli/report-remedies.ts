// What each code in the audit means to a person: what happened, whether it was prevented, whether
// somebody should do something, and what to type next. `undefined` for a code of everyday life: a step
// that waits for another is refused too. A test compares the tables with the lists of codes; a code that
// stands in none is reported all the same. Pure.

import type { Violation } from './report-contract.ts'

export interface About {
  /** Empty where no run is concerned, or more than one. */
  readonly run: string
  readonly subject: string
  /** The rule or the line that is missing, where the row names it. */
  readonly missing: string
}

export interface Remedy {
  readonly what: string
  readonly prevented: Violation['prevented']
  /** `unless-told`: nobody needs to look where a person's own command was refused on their screen. */
  readonly person: 'always' | 'unless-told' | 'never'
  readonly next: (about: About) => string
}

export type Remedies = Readonly<Record<string, Remedy | undefined>>

const agentOf = (subject: string) => subject.replace(/^[a-z]+:/, '').replace(/\.\d+$/, '')

/** Rows of the run, or of everything. */
const rowsOf = ({ run }: About) =>
  run === '' ? 'npx bulkhead audit query --kind decision' : `npx bulkhead audit query --run ${run}`
const decisions = () => 'npx bulkhead approvals --all'
const doctor = () => 'npx bulkhead doctor'
const showAgent = ({ subject }: About) => `npx bulkhead agents show ${agentOf(subject)}`
const shutOut = ({ subject }: About) =>
  `npx bulkhead agents quarantine ${agentOf(subject)} --reason "asked for what it may not"`
const checkPlan = ({ missing }: About) =>
  missing === ''
    ? 'npx bulkhead plan check <recipe|plan.yaml>'
    : `it lacks ${missing}; npx bulkhead plan check <recipe|plan.yaml> shows the change`
/** The step is named by the subject; of a plan that did not get as far, there is nothing to explain. */
const explain = (about: About) => {
  const { run, subject, missing } = about
  if (run === '' || subject === run) return checkPlan(about)
  return `${missing === '' ? '' : `it lacks ${missing}; `}npx bulkhead policy explain ${run} ${subject}`
}

const moreRoom = () =>
  'npx bulkhead plan check <recipe|plan.yaml>   says what it takes; then run it with more'

/** Somebody asked for what no honest party asks for, and did not get it. */
const attempt = (what: string, next: Remedy['next'] = rowsOf): Remedy => ({
  ...{ what, prevented: 'yes', person: 'always', next },
})
/** A plan or a command is not allowed as it is. */
const refusal = (what: string, next: Remedy['next']): Remedy => ({
  ...{ what, prevented: 'yes', person: 'unless-told', next },
})
const mistake = (what: string, next: Remedy['next']): Remedy => ({
  ...{ what, prevented: 'yes', person: 'never', next },
})
const trouble = (what: string, next: Remedy['next']): Remedy => ({
  ...{ what, prevented: 'no', person: 'always', next },
})
const everyday = undefined

/** Codes of notary/codes.ts, as refusals are recorded. */
export const ofNotary: Remedies = {
  MALFORMED: attempt('a call was not of the agreed shape'),
  EXPIRED_MESSAGE: everyday,
  NOT_PERMITTED: attempt('an account called what it may not call'),
  UNKNOWN_REQUEST: refusal('a run was named that nobody registered', rowsOf),
  REQUEST_CONFLICT: refusal('a request id was used again with other content', () => {
    return 'npx bulkhead run <recipe|plan.yaml>   without --request-id'
  }),
  REQUEST_CANCELLED: everyday,
  PLAN_INVALID: refusal('a plan does not compile, or a rule refuses it', checkPlan),
  PLAN_MISMATCH: attempt('another plan than the registered one was brought for admission'),
  ALREADY_ADMITTED: attempt('a second plan was brought for a run'),
  NOT_ADMITTED: attempt('a token was asked for before the plan was admitted'),
  ALREADY_PROPOSED: attempt('a second proposal was brought for a request that has its plan'),
  PROPOSALS_USED_UP: refusal('a planner proposed nothing that may be done', () => {
    return 'say it otherwise: npx bulkhead ask "..."'
  }),
  INFEASIBLE: refusal('a plan cannot be carried out within what its request allows', moreRoom),
  UNKNOWN_SCHEDULE: refusal('a schedule was named that nobody enabled', () => {
    return 'npx bulkhead schedule list'
  }),
  SCHEDULE_CONFLICT: mistake('a schedule was added under an id that is taken', () => {
    return 'npx bulkhead schedule list'
  }),
  SCHEDULE_PAUSED: everyday,
  NOT_NOMINAL: attempt('a firing was made up for a time that its schedule does not have'),
  NOT_DUE: refusal('a firing was asked for before it was due', () => 'npx bulkhead schedule list'),
  FIRING_MISSED: refusal('a firing came too late to be caught up', ({ run }) => {
    return `npx bulkhead schedule backfill ${run.split(':')[1] ?? '<id>'} --from <time> --to <time>`
  }),
  UNKNOWN_STEP: attempt('a step was named that the plan does not have'),
  NO_ITERATION: attempt('an item was named that the loop does not have'),
  NOT_YET: everyday,
  NEEDS_UNSETTLED: everyday,
  GUARD_FALSE: everyday,
  GUARD_TRUE: attempt('a step was reported as skipped whose guard is true'),
  ARGS_MISMATCH: attempt('arguments were brought that the plan and its results do not give'),
  ARGS_INVALID: refusal('the arguments of a step do not fit its action', checkPlan),
  SOURCE_MISMATCH: attempt('a result was brought that no receipt vouches for, or that is unfit'),
  SOURCE_MISSING: everyday,
  UNKNOWN_HANDLE: refusal(
    'a plan builds on an earlier result that its person does not have',
    () => {
      return 'npx bulkhead runs list'
    },
  ),
  NO_RESULT: everyday,
  RUN_ABORTING: everyday,
  NOT_ABORTING: everyday,
  NEVER_AUTHORISED: everyday,
  ATTEMPTS_USED_UP: everyday,
  NOT_DECIDED: everyday,
  NOT_CANCELLED: everyday,
  LIMIT: refusal('something is larger than its limit', checkPlan),
  REQUEST_LIMIT: refusal('a step would spend more than its request may', moreRoom),
  DEADLINE_PASSED: refusal('a step would begin after the deadline of its request', moreRoom),
  FLOW: refusal('the flow rules refuse who would see a value, or what would decide', checkPlan),
  POLICY: refusal('no rule of the policy allows the action', explain),
  QUARANTINED: refusal('an agent that is shut out was needed', () => 'npx bulkhead agents list'),
  UNKNOWN_APPROVAL: refusal('a decision was brought on a question that nobody asked', decisions),
  APPROVAL_OPEN: everyday,
  APPROVAL_UNSIGNED: attempt('a decision was brought without a signature that counts', decisions),
  APPROVAL_ALTERED: attempt('a decision was brought that is not what was signed', decisions),
  APPROVAL_MOVED: attempt('a decision was brought on another card than it was given on', decisions),
  APPROVAL_USED: attempt('a decision was brought a second time', decisions),
  APPROVAL_DENIED: everyday,
  APPROVAL_EXPIRED: everyday,
  NOT_APPROVER: attempt('somebody decided who may not decide on this', decisions),
  UNKNOWN_GRANT: mistake('a grant was named that there is not', () => 'npx bulkhead grants'),
  RECEIPT_INVALID: attempt('a receipt was brought that its agent did not sign'),
  RECEIPT_CONFLICT: mistake('a second receipt was brought for an effect that has settled', rowsOf),
  TOKENS_ALIVE: everyday,
  NOT_HELD: everyday,
  NOT_UNKNOWN: everyday,
  UNRESOLVED: everyday,
  AUDIT_UNAVAILABLE: trouble('the audit could not be written', doctor),
  CLOCK_BACKWARDS: trouble('the clock went back: nothing was recorded meanwhile', doctor),
  CLOCK_MOVED: trouble('the clock was moved: nothing was recorded meanwhile', doctor),
}

const notGenuine = attempt('an agent was sent a token that is not genuine', showAgent)
const notForThis = attempt('an agent was sent a token that does not allow the command', showAgent)
/** After a restart or a change of keys the next token is accepted. */
const outOfDate = mistake('an agent was sent a token that is out of date', showAgent)

/** Codes of security/capability-codes.ts, as agents report them. */
export const ofAgent: Remedies = {
  TOKEN_MALFORMED: notGenuine,
  TOKEN_ALGORITHM: notGenuine,
  TOKEN_TYPE: notGenuine,
  TOKEN_HEADER: notGenuine,
  TOKEN_KEY_UNKNOWN: outOfDate,
  TOKEN_SIGNATURE: notGenuine,
  TOKEN_ISSUER: notGenuine,
  TOKEN_AUDIENCE: outOfDate,
  TOKEN_EXPIRED: outOfDate,
  TOKEN_NOT_YET: outOfDate,
  TOKEN_LIFE: notGenuine,
  TOKEN_BINDING: outOfDate,
  TOKEN_CLAIMS: notGenuine,
  DETAILS_COUNT: notForThis,
  WRONG_ACTION: notForThis,
  WRONG_OPERATION: notForThis,
  ARGS_HASH: notForThis,
  SALT_MISMATCH: notForThis,
  APPROVAL_MISSING: notForThis,
  // The notary writes a row of its own on these two.
  REPLAY: everyday,
  IDEM_CONFLICT: everyday,
  LEDGER_UNAVAILABLE: trouble('an agent could not write its ledger', showAgent),
  MALFORMED: attempt('an agent was sent what is no command', showAgent),
  EXPIRED_MESSAGE: everyday,
  UNKNOWN_ACTION: attempt('an agent was asked for an action that it does not have', showAgent),
  INVALID_ARGS: attempt('an agent was sent arguments that it cannot read', showAgent),
}

/** What the notary and the supervisor report of agents and of the platform. */
export const ofSignals: Remedies = {
  FORGED_RECEIPT: attempt('an agent signed a receipt for what it did not do', showAgent),
  DUPLICATE_IDENTITY: attempt(
    'somebody outside its sandbox holds a key of the agent',
    ({ subject }) => {
      return `npx bulkhead keys rotate nkeys, then npx bulkhead agents restore ${agentOf(subject)}`
    },
  ),
  EVENT_FLOOD: attempt('an agent sent more events than are stored, for minutes', showAgent),
  IDEM_CONFLICT: attempt('an agent was asked for one effect with two sets of arguments', showAgent),
  REPLAY: attempt('an agent was sent a token for the second time', showAgent),
  RATE_LIMITED: mistake('somebody sent more than is stored; it was counted', rowsOf),
  AUDIT_UNAVAILABLE: trouble('the disk was full: nothing was authorised meanwhile', doctor),
  OVER_QUOTA: attempt('an agent wrote more than it may keep', showAgent),
  NOT_RECORDED: trouble('an agent could not record what it did', showAgent),
  POLICY_REFUSED: trouble('new rules were refused, and the ones before them stay in force', () => {
    return 'npx bulkhead policy check <folder>, then npx bulkhead policy reload'
  }),
  REACH_GREW: attempt('agents could reach more than was accepted; they do not start', () => {
    return 'npx bulkhead agents accept-reach   or take back the change of bulkhead.yaml'
  }),
}

const allow = ({ missing, subject }: About) =>
  missing === ''
    ? `npx bulkhead agents show ${agentOf(subject)}; if it should not ask: ${shutOut({ run: '', subject, missing })}`
    : `if it should: add ${missing}; if not: ${shutOut({ run: '', subject, missing })}`
const badToken = attempt('an agent asked the network with a token that is not good for it', shutOut)
const staleToken = mistake('an agent asked the network with a token that is out of date', showAgent)
const undeclared = attempt('an agent asked the network for what its manifest does not name', allow)
const misshapen = attempt('an agent sent a request that no honest one sends', shutOut)
const settings = refusal('the network was needed and is not configured for it', ({ missing }) => {
  return missing === '' ? 'npx bulkhead doctor --config bulkhead.yaml' : `set ${missing}`
})
const cut = mistake('a tunnel was ended at its bound', showAgent)

/** Codes of egress/codes.ts. What the network itself fails at is everyday. */
export const ofEgress: Remedies = {
  ...Object.fromEntries(
    Object.entries(ofAgent).map(([code, remedy]) => [
      code,
      remedy === outOfDate ? staleToken : badToken,
    ]),
  ),
  // A token of a command that has just ended.
  TOKEN_EXPIRED: everyday,
  MALFORMED: misshapen,
  OVERLOADED: everyday,
  NOT_AUDITED: trouble('a request could not be recorded, and was not sent', doctor),
  NOT_RUNNING: everyday,
  EGRESS_UNDECLARED: undeclared,
  EGRESS_NOT_OF_ACTION: undeclared,
  PROTOCOL_REFUSED: undeclared,
  ORIGIN_INVALID: misshapen,
  ORIGIN_REFUSED: undeclared,
  NOT_CONFIGURED: settings,
  PATH_INVALID: misshapen,
  PATH_REFUSED: undeclared,
  METHOD_REFUSED: undeclared,
  QUERY_INVALID: misshapen,
  QUERY_REFUSED: undeclared,
  BINDING_MISMATCH: undeclared,
  HEADER_REFUSED: undeclared,
  BODY_REFUSED: undeclared,
  ADDRESS_REFUSED: attempt('a name led to an address inside the house', allow),
  NAME_UNRESOLVED: everyday,
  CONNECT_FAILED: everyday,
  TLS_REFUSED: attempt('a server did not prove who it is', showAgent),
  PIN_MISMATCH: attempt('a server has another key than the pinned one', () => {
    return 'compare the key with the server, then mend pin in bulkhead.yaml'
  }),
  CREDENTIAL_MISSING: settings,
  TIMEOUT: everyday,
  BROKEN_OFF: everyday,
  RESPONSE_INVALID: everyday,
  RESPONSE_TOO_LARGE: everyday,
  CLOSED: everyday,
  TOKEN_ENDED: everyday,
  TIME_OVER: cut,
  EPOCH_ENDED: everyday,
  BYTES_OVER: cut,
  GATEWAY_STOPPED: everyday,
}

/** How effects ended. */
export const ofOutcomes: Remedies = {
  UNKNOWN_OUTCOME: {
    what: 'nobody knows whether it happened',
    prevented: 'unknown',
    person: 'always',
    next: ({ run, subject }) =>
      `look, then npx bulkhead runs resolve ${run} ${subject} --happened   or   --did-not`,
  },
  UNDO_UNKNOWN: {
    what: 'nobody knows whether it was undone',
    prevented: 'unknown',
    person: 'always',
    next: ({ run, subject }) =>
      `look, then npx bulkhead runs resolve ${run} ${subject} --undo --happened   or   --did-not`,
  },
  UNDO_FAILED: trouble('it was not undone: what it did is still there', ({ run }) => {
    return `npx bulkhead audit query --run ${run} --kind outcome`
  }),
}

/** A result that was refused: nothing was built on it. What its effect did has happened. */
export const ofResults: Remedy = {
  what: 'an agent returned what no result may be',
  prevented: 'yes',
  person: 'always',
  next: ({ subject }) => `npx bulkhead agents show ${agentOf(subject)}`,
}

/** What it was given for one effect bounds its own requests only as far as it holds to it. */
export const ofSpending = trouble('an agent says that it spent more than it was given', showAgent)

export const ofApprovals: Remedies = {
  expired: mistake(
    'a question to a person was not answered in time, which denies it',
    ({ run }) => {
      return run === '' ? 'npx bulkhead schedule list' : 'npx bulkhead run <recipe|plan.yaml>'
    },
  ),
}

/** A fault of the log itself, or something that it lacks. */
export const ofAudit: Omit<Remedy, 'what'> = {
  prevented: 'no',
  person: 'always',
  next: () => 'npx bulkhead audit verify   and   npx bulkhead state backups',
}

/** A code that stands in no table: of a newer version, or made up by whoever wrote the row. */
export const ofOthers: Remedy = attempt('a code that this version does not know', rowsOf)
