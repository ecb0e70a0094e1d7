// What a code that a step ended with means to a person, and the command to type next. Agents' failures are
// codes only (R7), so the words are written here; where one agent means something closer, it has words of
// its own. Pure. Two tests hold the lists to those of agents/protocol.ts and of the agents' own code.

import type { AttemptFailureType } from '../workflows/contract.ts'

export interface FailedStep {
  readonly requestId: string
  /** As it was registered; undefined for a plan of the person's. */
  readonly recipe?: string | undefined
  readonly step: string
  readonly agent: string
  readonly code: string
}

export interface FailureWords {
  /** Goes on after the step's name. */
  readonly what: string
  next(failed: FailedStep): string
}

const again = ({ recipe }: FailedStep) =>
  `npx bulkhead run ${recipe ?? '<the same plan>'}   with the same inputs`
/** A recipe finds what it builds on; a plan may name what another run has found. */
const foundAgain = (failed: FailedStep) =>
  failed.recipe === undefined
    ? `${again(failed)}; of an earlier run's result first the plan that found it, then with the new handle`
    : again(failed)
const then = (first: string) => (failed: FailedStep) => `${first}   then   ${again(failed)}`
const narrower = ({ recipe }: FailedStep) =>
  `npx bulkhead run ${recipe ?? '<the same plan>'}   with other inputs`
const connect = (failed: FailedStep) => then(`npx bulkhead agents connect ${failed.agent}`)(failed)
const look = ({ agent }: FailedStep) => `npx bulkhead agents show ${agent}`
const askingFirst = (failed: FailedStep) =>
  `${look(failed)}   then   npx bulkhead run ${failed.recipe ?? '<the same plan>'}   with one of the two in its place`
const rows = ({ requestId }: FailedStep) => `npx bulkhead audit query --run ${requestId}`
const room = then('npx bulkhead doctor')

/** Of every agent, by the codes that an action may fail with. */
export const failureWords: Readonly<Record<string, FailureWords>> = {
  NOT_FOUND: { what: 'what it names is not there (any more)', next: narrower },
  AMBIGUOUS: { what: 'several fit where one was meant, and none was touched', next: narrower },
  CONFLICT: {
    what: 'what it was to change was changed by somebody else since, and was left as it is',
    next: again,
  },
  TELLS_OTHERS: { what: 'others would be told of it, and nobody was asked first', next: look },
  INVALID_INPUT: { what: 'what it was given cannot be done', next: narrower },
  UNAVAILABLE: {
    what: 'what it needs does not answer, refuses it, or may not be read',
    next: connect,
  },
  LIMIT_EXCEEDED: {
    what: 'it is more than the agent handles at once; ask for less',
    next: narrower,
  },
  STORAGE_FULL: { what: 'there is no space left where it writes', next: room },
  CORRUPT_DATA: { what: 'what it read is not of the form that it must have', next: look },
  INTERNAL: { what: 'the agent failed by a fault of its own', next: rows },
  INVALID_RESULT: { what: 'what the agent returned is not what it declares', next: rows },
  CANCELLED: { what: 'it was stopped before it had an effect', next: again },
  OVERLOADED: { what: 'what it asks has too much to do now, and took nothing on', next: again },
  DECLINED: { what: 'the model, or who guards it, will not answer this', next: narrower },
  ANSWER_CUT_OFF: { what: 'the model’s answer was longer than it may be', next: narrower },
  ANSWER_EMPTY: { what: 'the model answered nothing', next: again },
  ANSWER_MALFORMED: { what: 'the model’s answer is not of the form asked for', next: again },
  ANSWER_UNFIT: { what: 'the model’s answer does not fit what it was asked', next: again },
  NOT_BEGUN: { what: 'it never began', next: again },
}

const sync = then('npx bulkhead run sync-calendars')
const server = {
  what: 'the server cannot be reached, refuses the credential, or what it keeps may not be read',
  next: connect,
}
const dav = {
  CONFLICT: {
    what: 'somebody else changed it since it was read (or since the change that is to be taken back); nothing was overwritten',
    next: sync,
  },
  UNAVAILABLE: server,
  STORAGE_FULL: { what: 'the disk or the server has no space left', next: room },
}

/** By agent: where the code has a closer meaning. */
export const agentWords: Readonly<
  Record<string, Readonly<Record<string, FailureWords>> | undefined>
> = {
  calendar: {
    ...dav,
    NOT_FOUND: {
      what: 'there is no such calendar, event or instance (any more)',
      next: then('npx bulkhead run week-ahead'),
    },
    TELLS_OTHERS: {
      what: 'others are in that event, and the server may mail them; nothing was sent. calendar.reschedule and calendar.cancel ask you first',
      next: askingFirst,
    },
  },
  reminders: {
    ...dav,
    NOT_FOUND: {
      what: 'there is no such list or reminder (any more)',
      next: then('npx bulkhead run week-ahead'),
    },
    TELLS_OTHERS: {
      what: 'others are in that reminder, and the server may mail them; nothing was sent, and only another program can change it',
      next: look,
    },
  },
  notes: {
    CONFLICT: {
      what: 'the note, or the marks of the entry in it, were edited by hand',
      next: look,
    },
  },
  finance: {
    CONFLICT: {
      what: 'entries of that import were edited by hand, and stay; the journal is in imported/',
      next: look,
    },
    UNAVAILABLE: {
      what: 'hledger cannot be started, or the bank’s server refuses: its access was taken back, or not paid for',
      next: connect,
    },
    CORRUPT_DATA: {
      what: 'the journal or the bank’s file is not of the form that it must have',
      next: look,
    },
  },
  health: {
    CONFLICT: {
      what: 'the export changed while it was read, was imported and taken back, or a later one was imported on top',
      next: look,
    },
    UNAVAILABLE: {
      what: 'another import is under way, or the export may not be read',
      next: connect,
    },
  },
  screentime: {
    UNAVAILABLE: { what: 'ActivityWatch does not answer', next: connect },
  },
  backup: {
    NOT_FOUND: { what: 'there is no such repository, or not so many backups in it', next: look },
    UNAVAILABLE: { what: 'restic or borg cannot be started', next: connect },
    CORRUPT_DATA: {
      what: 'the program says that the repository cannot be read, or that its password is wrong',
      next: look,
    },
  },
  feeds: {
    NOT_FOUND: { what: 'there is no such feed, or it is gone for good', next: narrower },
    UNAVAILABLE: { what: 'the feed’s server does not answer, or refuses', next: connect },
  },
  weather: {
    UNAVAILABLE: { what: 'the weather’s server does not answer, or refuses', next: connect },
  },
}

/** How attempts end without an outcome, where they were the last. */
export const attemptWords: Readonly<Record<AttemptFailureType, FailureWords>> = {
  NOT_DELIVERED: { what: 'the command did not reach the agent', next: look },
  NO_REPLY: { what: 'the agent did not answer in time', next: look },
  IN_PROGRESS: { what: 'the agent was still at work when its time was over', next: look },
  STALE_TOKEN: { what: 'the agent took each token for used or out of date', next: room },
  REFUSED: { what: 'the agent refused the command', next: rows },
  EFFECT_ABSENT: {
    what: 'each attempt failed before it had an effect: what the agent needs is not to be had now',
    next: connect,
  },
  REPLY_INVALID: { what: 'what came back was not genuine', next: rows },
  AGENT_UNAVAILABLE: { what: 'the agent could not be started', next: connect },
  NOTARY_UNAVAILABLE: { what: 'the notary did not answer or could not record', next: room },
  STORAGE_FULL: { what: 'there was no space left for results', next: room },
  ARTIFACT_MISSING: { what: 'a result that it builds on is gone', next: foundAgain },
  ARTIFACT_CORRUPT: { what: 'a result that it builds on cannot be opened', next: again },
  PLAN_MISMATCH: { what: 'the stored plan is not the one that it belongs to', next: rows },
  NOT_PERMITTED: { what: 'the bus does not permit it', next: room },
  UNFINISHED: { what: 'it was left unfinished', next: again },
  AGENT_BUSY: { what: 'the agent had no place for it', next: again },
  CIRCUIT_OPEN: { what: 'the agent does not answer, and was left alone', next: look },
}

const withMore =
  (option: string) =>
  ({ recipe }: Pick<FailedStep, 'recipe'>) =>
    `npx bulkhead run ${recipe ?? '<the same plan>'}   with ${option}`

/** What the notary refuses by what the person allows the request: of a whole run, or of a step. */
const limitWords: Readonly<
  Record<
    'INFEASIBLE' | 'REQUEST_LIMIT' | 'DEADLINE_PASSED',
    { readonly what: string; next(run: Pick<FailedStep, 'recipe'>): string }
  >
> = {
  INFEASIBLE: {
    what: 'the plan cannot be carried out within its --deadline and --max-usd, and nothing of it was begun',
    next: withMore('a later --deadline or a larger --max-usd'),
  },
  REQUEST_LIMIT: {
    what: 'it would spend more than --max-usd leaves, and nothing was sent',
    next: withMore('a larger --max-usd'),
  },
  DEADLINE_PASSED: {
    what: 'it would begin after --deadline, and nothing more was sent',
    next: withMore('a later --deadline'),
  },
}

export function wordsForLimit(code: string | undefined) {
  return code === undefined ? undefined : ownOf(limitWords, code)
}

/** Undefined for a code that says what became of other steps, or that the notary gave. */
export function wordsFor(agent: string, code: string | undefined): FailureWords | undefined {
  if (code === undefined) return undefined
  const own = ownOf(agentWords, agent)
  return (
    (own === undefined ? undefined : ownOf(own, code)) ??
    ownOf(failureWords, code) ??
    ownOf<FailureWords>(attemptWords, code)
  )
}

/** Codes and names come from elsewhere: none reaches a prototype. */
function ownOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
