// What the codes of a verification mean to a person. Pure.

import type { GapCode } from '../security/audit/reconciliation.ts'
import type { AuditFault } from '../security/audit/verification.ts'

const faults: Readonly<Record<AuditFault, string>> = {
  SEQ: 'a row is missing, doubled or out of order',
  LEAF: 'the row was changed after it was written',
  PREV: 'the row does not follow the one before it',
  INSERTED: 'rows were put in before rows that were numbered anew',
  ROOT: 'the rows from here on are not those that were signed',
  TRUNCATED: 'the end was cut off: a checkpoint knows of this row',
  CHECKPOINT: 'a checkpoint is not signed by the audit key',
  KEY: 'it names an audit key that nobody vouches for',
  UNSIGNED: 'nobody signed the rows from here on: they were added to the file',
  ROLLED_BACK: 'an older or another copy of the audit: a witness knows what followed',
}

const gaps: Readonly<Record<GapCode, string>> = {
  NOT_REGISTERED: 'nobody is recorded to have asked for this run',
  NOT_ADMITTED: 'no plan is recorded to have been admitted for this run',
  NO_INTENT: 'a token was given and no intent recorded',
  NO_MINT: 'something was done and no token recorded',
  NO_ATTEMPT: 'an attempt between others is not recorded',
  NO_RECEIPT: 'it was settled without a receipt',
  TWICE: 'it was settled twice',
  AFTER_OUTCOME: 'a token was given after it had settled',
  NOT_RECORDED: 'the agent did something that the audit does not know of',
  NOT_EXECUTED: 'the agent knows nothing of it',
  OTHER_RECEIPT: 'the agent holds another receipt for it',
  NO_OUTCOME: 'the run went on from an outcome that is not recorded',
  NOT_IN_HISTORY: 'the run never came to this step',
}
const gapWords: ReadonlyMap<string, string> = new Map(Object.entries(gaps))

export function faultWords(fault: AuditFault): string {
  return faults[fault]
}

export function gapWordsOf(code: string): string {
  return gapWords.get(code) ?? code
}
