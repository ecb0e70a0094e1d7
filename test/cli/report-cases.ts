// Everything that the compliance report calls a violation, each as the rows that tell of it.

import type { Violation } from '../../cli/report-contract.ts'
import { effect, type Told } from './report-log.ts'

export const egress = (body: Record<string, unknown>): Told => ({
  ...{ kind: 'message', actor: 'gateway', subject: 'egress:feeds.0', body },
})
export const security = (actor: string, body: Record<string, unknown>): Told => ({
  ...{ kind: 'security', actor, subject: 'agent:notes.0', correlation: '', body },
})
export const refused = (
  code: string,
  more: Record<string, unknown> = {},
  actor = 'worker',
): Told => ({
  ...{ actor, body: { call: 'authorize', decision: 'refused', code, rules: [], ...more } },
})

/** Beside the effect of the good run. */
const another = (ended: Record<string, unknown>, kind = 'do') =>
  effect(ended, { idem: 'k'.repeat(43), kind })

type Expected = Pick<Violation, 'place' | 'code' | 'prevented' | 'person'>
export const cases: readonly (readonly [string, readonly Told[], Expected, next: RegExp])[] = [
  [
    'a step that no rule allows, with its rules and what is missing',
    [refused('POLICY', { rules: ['read.owner'], missing: 'an undo for notes.append' })],
    { place: 'notary', code: 'POLICY', prevented: 'yes', person: true },
    /it lacks an undo for notes\.append; npx bulkhead policy explain r-1 write/,
  ],
  [
    'a flow that is refused',
    [refused('FLOW', { rules: ['FLOW_R1'] })],
    { place: 'notary', code: 'FLOW', prevented: 'yes', person: true },
    /plan check/,
  ],
  [
    "a plan that does not compile, told at its person's screen",
    [refused('PLAN_INVALID', {}, 'cli')],
    { place: 'notary', code: 'PLAN_INVALID', prevented: 'yes', person: false },
    /plan check/,
  ],
  [
    "what an account was refused that only looks like a person's",
    [{ ...refused('POLICY', {}, 'clients'), subject: 'r-1' }],
    { place: 'notary', code: 'POLICY', prevented: 'yes', person: true },
    /plan check/,
  ],
  [
    'a worker that makes arguments up',
    [refused('ARGS_MISMATCH')],
    { place: 'notary', code: 'ARGS_MISMATCH', prevented: 'yes', person: true },
    /audit query --run r-1/,
  ],
  [
    'a decision used again, wherever it was brought',
    [refused('APPROVAL_USED', {}, 'cli')],
    { place: 'notary', code: 'APPROVAL_USED', prevented: 'yes', person: true },
    /approvals --all/,
  ],
  [
    'a refusal of a newer version',
    [refused('NEVER_HEARD_OF')],
    { place: 'notary', code: 'NEVER_HEARD_OF', prevented: 'yes', person: true },
    /audit query --run r-1/,
  ],
  [
    'a token that is not genuine',
    [security('agent:notes.0', { event: 'refused', code: 'TOKEN_SIGNATURE' })],
    { place: 'agent', code: 'TOKEN_SIGNATURE', prevented: 'yes', person: true },
    /agents show notes/,
  ],
  [
    'a forged receipt',
    [
      security('notary', { code: 'FORGED_RECEIPT', action: 'quarantine' }),
      security('notary', { event: 'quarantined', code: 'FORGED_RECEIPT', reason: '' }),
    ],
    { place: 'signal', code: 'FORGED_RECEIPT', prevented: 'yes', person: true },
    /agents show notes/,
  ],
  [
    'a disk that was full',
    [security('notary', { code: 'AUDIT_UNAVAILABLE', reason: 'DISK_FULL', refused: 3 })],
    { place: 'signal', code: 'AUDIT_UNAVAILABLE', prevented: 'no', person: true },
    /doctor/,
  ],
  [
    'an agent that wrote more than it may',
    [security('supervisor', { event: 'over-quota', bytes: 1, entries: 1 })],
    { place: 'platform', code: 'OVER_QUOTA', prevented: 'yes', person: true },
    /agents show notes/,
  ],
  [
    'rules that were refused, so that older ones decide',
    [{ kind: 'life-cycle', actor: 'notary', correlation: '', body: { event: 'policy-refused' } }],
    { place: 'platform', code: 'POLICY_REFUSED', prevented: 'no', person: true },
    /policy check <folder>/,
  ],
  [
    'reach that grew and was not accepted',
    [{ ...security('supervisor', { event: 'reach', digest: 'd', grown: 2 }), subject: 'reach' }],
    { place: 'platform', code: 'REACH_GREW', prevented: 'yes', person: true },
    /accept-reach/,
  ],
  [
    'a request to a host that nobody declared, with the line that is missing',
    [egress({ code: 'ORIGIN_REFUSED', missing: 'bulkhead.yaml feeds.origins' })],
    { place: 'egress', code: 'ORIGIN_REFUSED', prevented: 'yes', person: true },
    /add bulkhead\.yaml feeds\.origins; if not: npx bulkhead agents quarantine feeds/,
  ],
  [
    'a request under a token that was not meant for it',
    [egress({ code: 'ARGS_HASH' })],
    { place: 'egress', code: 'ARGS_HASH', prevented: 'yes', person: true },
    /agents quarantine feeds/,
  ],
  [
    'a request under a key that has just been replaced',
    [egress({ code: 'TOKEN_KEY_UNKNOWN' })],
    { place: 'egress', code: 'TOKEN_KEY_UNKNOWN', prevented: 'yes', person: false },
    /agents show feeds/,
  ],
  [
    'a result that holds a secret',
    another({ outcome: 'failed', code: 'INVALID_RESULT', fault: 'SECRET', resultHash: null }),
    { place: 'result', code: 'INVALID_RESULT', prevented: 'yes', person: true },
    /agents show notes/,
  ],
  [
    'a result that says more was spent than was reserved',
    another({ spending: 'exceeded' }),
    { place: 'result', code: 'SPENT_MORE', prevented: 'no', person: true },
    /agents show notes/,
  ],
  [
    'an outcome that nobody knows',
    another({ outcome: 'unknown' }),
    { place: 'outcome', code: 'UNKNOWN_OUTCOME', prevented: 'unknown', person: true },
    /runs resolve r-1 write --happened/,
  ],
  [
    'an undo of which nobody knows',
    another({ outcome: 'unknown' }, 'undo'),
    { place: 'outcome', code: 'UNDO_UNKNOWN', prevented: 'unknown', person: true },
    /runs resolve r-1 write --undo --happened/,
  ],
  [
    'an undo that failed',
    another({ outcome: 'failed', code: 'CONFLICT' }, 'undo'),
    { place: 'outcome', code: 'UNDO_FAILED', prevented: 'no', person: true },
    /audit query --run r-1 --kind outcome/,
  ],
  [
    'a question that nobody answered',
    [{ kind: 'approval', actor: 'notary', subject: 'a1b2', body: { event: 'expired' } }],
    { place: 'approval', code: 'EXPIRED', prevented: 'yes', person: false },
    /npx bulkhead run/,
  ],
  [
    'an outcome without a receipt',
    another({ receipt: null }),
    { place: 'gap', code: 'NO_RECEIPT', prevented: 'no', person: true },
    /audit verify/,
  ],
]
