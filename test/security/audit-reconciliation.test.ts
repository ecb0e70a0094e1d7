// Reconciliation of one small run that a test takes something away from: each omission is named by
// run and step, and what is merely unfinished is not.

import { describe, expect, it } from 'vitest'
import {
  type AuditEntry,
  type AuditRow,
  genesisHash,
  sealRow,
} from '../../security/audit/format.ts'
import {
  createReconciler,
  type LedgerEffect,
  type OtherRecords,
} from '../../security/audit/reconciliation.ts'
import { digestOf } from '../../security/verify/hash.ts'

const run = 'briefing-1'
const digest = 'd'.repeat(43)
const idemOf = (step: string, kind = 'do') => digestOf([run, digest, kind, step, 0, 0])
const at = 1_800_000_000_000

type Written = Pick<AuditEntry, 'kind' | 'subject' | 'body'> & { readonly actor?: string }

const registered: Written = { kind: 'plan', subject: run, body: { event: 'registered', digest } }
const admitted: Written = { kind: 'plan', subject: run, body: { event: 'admitted', digest } }
const intent = (step: string, kind = 'do'): Written => ({
  kind: 'intent',
  subject: step,
  body: { idem: idemOf(step, kind), kind, agent: 'notes.0', argsHash: 'a' },
})
const mint = (step: string, attempt = 1, kind = 'do'): Written => ({
  kind: 'mint',
  subject: step,
  body: { idem: idemOf(step, kind), jti: `${step}-${attempt}`, attempt, agent: 'notes.0' },
})
const attemptEnded = (step: string, attempts: number): Written => ({
  kind: 'decision',
  subject: step,
  body: { call: 'settle', decision: 'attempt-ended', idem: idemOf(step), attempts },
})
const outcome = (step: string, change: object = {}): Written => ({
  kind: 'outcome',
  actor: 'agent:notes.0',
  subject: step,
  body: {
    ...{ idem: idemOf(step), kind: 'do', outcome: 'settled', receipt: `receipt-${step}` },
    ...{ attempts: 1, ...change },
  },
})

/** `read` settled at once, `write` at the second attempt. */
const honest: readonly Written[] = [
  registered,
  admitted,
  intent('read'),
  mint('read'),
  outcome('read'),
  intent('write'),
  mint('write'),
  mint('write', 2),
  outcome('write', { attempts: 2 }),
]
const done = (step: string, change: Partial<LedgerEffect> = {}): LedgerEffect => ({
  ...{ idem: idemOf(step), action: 'append', state: 'DONE', receipt: `receipt-${step}` },
  ...change,
})
const ledger = (...effects: LedgerEffect[]) => [{ replica: 'notes.0', effects }]
const agreeing: OtherRecords = {
  ledgersBefore: ledger(done('read'), done('write')),
  ledgersAfter: ledger(done('read'), done('write')),
  history: [
    {
      run,
      steps: [
        { id: 'read', effect: 'read', outcome: 'settled' },
        { id: 'write', effect: 'write', outcome: 'already-settled' },
      ],
    },
  ],
  plans: new Map([[run, ['read', 'write', 'more']]]),
  since: 0,
}

function reconcile(written: readonly Written[], others: Partial<OtherRecords> = {}) {
  const reconciler = createReconciler()
  const names = { at, correlation: run, trace: '', actor: 'user:owner' }
  let prev: AuditRow | undefined
  for (const one of written) {
    prev = sealRow({ ...names, ...one } as AuditEntry, {
      seq: (prev?.seq ?? 0) + 1,
      prev: prev?.leaf ?? genesisHash,
    })
    reconciler.row(prev)
  }
  return reconciler.finish({ ...agreeing, ...others })
}

function gaps(written: readonly Written[], others: Partial<OtherRecords> = {}) {
  return reconcile(written, others).gaps.map(
    ({ step, what, where }) => `${step} ${what} (${where})`,
  )
}

const without = (taken: Written) => honest.filter((one) => one !== taken)
const row = (index: number) => honest[index] ?? registered

describe('records that agree', () => {
  it('have no gap, and are counted', () => {
    expect(reconcile(honest)).toEqual({ runs: 1, effects: 2, gaps: [] })
  })

  it('may end in the middle of a run', () => {
    const open = { history: [], ledgersAfter: [] }
    for (let length = 0; length <= honest.length; length += 1) {
      // An intent and its token are one transaction.
      if (honest[length]?.kind === 'mint' && honest[length - 1]?.kind === 'intent') continue
      const known = honest.slice(0, length)
      const minted = new Set(known.filter(({ kind }) => kind === 'mint').map((one) => one.subject))
      const ledgersBefore = ledger(...[...minted].map((step) => done(step)))
      expect(gaps(known, { ...open, ledgersBefore }), String(length)).toEqual([])
    }
  })

  it('include a step that was denied, skipped or given up without a token', () => {
    const ended = ['denied', 'skipped', 'failed'].map((what) =>
      outcome(`step-${what}`, {
        idem: idemOf(`step-${what}`),
        outcome: what,
        receipt: null,
        attempts: 0,
      }),
    )
    expect(gaps([...honest, ...ended])).toEqual([])
  })

  it('include an attempt that ended before it was given a token', () => {
    const late = [intent('more'), mint('more'), attemptEnded('more', 2), mint('more', 3)]
    expect(gaps([...honest, ...late])).toEqual([])
  })

  it('include an unknown outcome of which the agent learned the end later', () => {
    const unknown = [intent('more'), mint('more'), outcome('more', { outcome: 'unknown' })]
    const ledgers = ledger(done('read'), done('write'), done('more', { receipt: 'late' }))
    const others = { ledgersBefore: ledgers, ledgersAfter: ledgers }
    expect(gaps([...honest, ...unknown], others)).toEqual([])
  })

  it('include a command that an agent accepted and did not begin', () => {
    const reserved = done('more', { state: 'RESERVED', receipt: null })
    expect(gaps(honest, { ledgersBefore: ledger(reserved) })).toEqual([])
  })

  it('include what ledgers may have forgotten by now', () => {
    expect(gaps(honest, { ledgersAfter: ledger(), since: at + 1 })).toEqual([])
  })
})

describe('what is missing in the audit is named:', () => {
  it.each([
    ['the registration', without(row(0)), [' NOT_REGISTERED (audit)']],
    ['the admission', without(row(1)), [' NOT_ADMITTED (audit)']],
    ['an intent', without(row(2)), ['read NO_INTENT (audit)']],
    ['the first token', without(row(6)), ['write NO_ATTEMPT (audit)']],
    ['the last token', without(row(7)), ['write NO_ATTEMPT (audit)']],
    [
      'the only token',
      without(row(3)),
      ['read NO_MINT (audit)', 'read NOT_RECORDED (ledger of notes.0)'],
    ],
    ['the outcome', without(row(4)), ['read NO_OUTCOME (Temporal history)']],
  ])('%s', (_, written, expected) => {
    expect(gaps(written)).toEqual(expected)
  })

  it('the token of an intent that came to nothing else', () => {
    const others = { ledgersBefore: [], ledgersAfter: [], history: [] }
    expect(gaps([registered, admitted, intent('read')], others)).toEqual(['read NO_MINT (audit)'])
  })

  it('every row of a step, by the name that its id is a hash of', () => {
    const silent = honest.filter(({ subject }) => subject !== 'write')
    expect(gaps(silent, { history: [] })).toEqual(['write NOT_RECORDED (ledger of notes.0)'])
  })

  it('the outcome of an undo', () => {
    const steps = [{ id: 'write', effect: 'write', outcome: 'settled', undo: 'settled' }]
    expect(gaps(honest, { history: [{ run, steps }] })).toEqual([
      'write NO_OUTCOME (Temporal history)',
    ])
    const undone = [
      intent('write', 'undo'),
      mint('write', 1, 'undo'),
      outcome('write', { idem: idemOf('write', 'undo'), kind: 'undo', receipt: 'undone' }),
    ]
    const undo = done('write', { idem: idemOf('write', 'undo'), receipt: 'undone' })
    const ledgers = ledger(done('read'), done('write'), undo)
    const others = { ledgersBefore: ledgers, ledgersAfter: ledgers, history: [{ run, steps }] }
    expect(gaps([...honest, ...undone], others)).toEqual([])
  })
})

describe('what a person or a probe resolved', () => {
  const resolved = (as: string): Written => ({
    kind: 'decision',
    subject: 'write',
    body: { call: 'recover', decision: 'resolved', idem: idemOf('write'), outcome: as },
  })
  const attached: Written = {
    ...mint('write', 2),
    body: { idem: idemOf('write'), op: 'attach', attempt: 2, agent: 'notes.0' },
  }
  const unknown = outcome('write', { attempts: 2, outcome: 'unknown' })
  const rows = [...honest.slice(0, -1), attached, attached, unknown]
  const ledgers = ledger(done('read'), done('write', { state: 'UNKNOWN', receipt: null }))
  const others = { ledgersBefore: ledgers, ledgersAfter: ledgers }

  it('is no second outcome, and no receipt is missed; tokens that follow are no attempts', () => {
    expect(gaps([...rows, resolved('settled')], others)).toEqual([])
  })

  it('can only have been unknown, and is resolved once', () => {
    const twice = ['write TWICE (audit)']
    expect(gaps([...rows, resolved('settled'), resolved('failed')], others)).toContain(twice[0])
    expect(gaps([...honest, resolved('failed')])).toContain(twice[0])
  })
})

describe('what cannot have been is named:', () => {
  it.each([
    ['a second outcome', [...honest, outcome('read')], ['read TWICE (audit)']],
    ['a token after the outcome', [...honest, mint('read', 2)], ['read AFTER_OUTCOME (audit)']],
    [
      'an outcome without a receipt',
      honest.map((one) => (one === row(4) ? outcome('read', { receipt: null }) : one)),
      ['read NO_RECEIPT (audit)'],
    ],
  ])('%s', (_, written, expected) => {
    expect(gaps(written)).toEqual(expected)
  })

  it('an outcome that the agent does not know, or knows otherwise', () => {
    expect(gaps(honest, { ledgersAfter: ledger(done('read')) })).toEqual([
      'write NOT_EXECUTED (ledger of notes.0)',
    ])
    const other = ledger(done('read'), done('write', { receipt: 'another' }))
    expect(gaps(honest, { ledgersAfter: other })).toEqual([
      'write OTHER_RECEIPT (ledger of notes.0)',
    ])
  })

  it('an effect of which the agent signed that it had nothing, and it has', () => {
    const ended = outcome('write', { outcome: 'failed', code: 'NOT_BEGUN', attempts: 2 })
    const written = honest.map((one, at) => (at === honest.length - 1 ? ended : one))
    const against = (...effects: LedgerEffect[]) =>
      gaps(written, { ledgersAfter: ledger(...effects), history: [] })
    expect(against(done('read'))).toEqual([])
    expect(against(done('read'), done('write', { receipt: 'another' }))).toEqual([
      'write OTHER_RECEIPT (ledger of notes.0)',
    ])
  })

  it('an effect in a step that the run never came to', () => {
    const steps = [
      { id: 'read', effect: 'read', outcome: 'settled' },
      { id: 'write', effect: 'write', outcome: 'pending' },
    ]
    expect(gaps(honest, { history: [{ run, steps }] })).toEqual([
      'write NOT_IN_HISTORY (Temporal history)',
    ])
    const skipped = steps.map((step) => ({ ...step, outcome: 'skipped' }))
    expect(gaps(honest, { history: [{ run, steps: skipped }] })).toEqual([
      'read NOT_IN_HISTORY (Temporal history)',
      'write NOT_IN_HISTORY (Temporal history)',
    ])
  })

  it.each(['cancelled', 'given-up'])('but no read that a run lost before it was %s', (decision) => {
    const steps = [{ id: 'read', effect: 'read', outcome: 'pending' }]
    const history = [{ run, steps }]
    const stopped = { kind: 'decision', subject: run, body: { decision } } as const
    expect(gaps([...honest, stopped], { history })).toEqual([])
    expect(gaps(honest, { history })).toEqual(['read NOT_IN_HISTORY (Temporal history)'])
  })

  it('no further than the first hundred, and a strange body is no reason to stop', () => {
    const many = Array.from({ length: 150 }, (_, n) => mint(`step-${n}`))
    expect(gaps([...honest, ...many])).toHaveLength(100)
    const strange = { kind: 'mint', subject: 'x', body: { idem: 7 } } as const
    expect(gaps([...honest, strange])).toEqual([])
  })
})

describe('a loop', () => {
  const expanded = (count: number): Written => ({
    kind: 'decision',
    subject: 'each',
    body: { call: 'settle', decision: 'expanded', count, rerun: 0 },
  })
  const idem = (iteration: number, kind = 'do') =>
    digestOf([run, digest, kind, 'each', iteration, 0])
  const iteration = (at: number, change: object = {}): readonly Written[] => [
    { kind: 'intent', subject: 'each', body: { idem: idem(at), kind: 'do', agent: 'notes.0' } },
    { kind: 'mint', subject: 'each', body: { idem: idem(at), attempt: 1 } },
    outcome('each', { idem: idem(at), ...change }),
  ]
  const closed = (outcome: string, undo?: string) => ({
    ...{ ledgersBefore: [], ledgersAfter: [] },
    history: [{ run, steps: [{ id: 'each', effect: 'write', outcome, undo }] }],
  })
  const failed = { outcome: 'failed' }

  it('that is told as settled has an outcome for each of its items, whichever came last', () => {
    const both = [registered, admitted, expanded(2), ...iteration(0), ...iteration(1, failed)]
    expect(gaps(both, closed('settled'))).toEqual([])
    const one = [registered, admitted, expanded(2), ...iteration(0)]
    expect(gaps(one, closed('settled'))).toEqual(['each NO_OUTCOME (Temporal history)'])
    expect(gaps([registered, admitted, expanded(0)], closed('settled'))).toEqual([])
    expect(gaps([registered, admitted], closed('settled'))).toEqual([
      'each NO_OUTCOME (Temporal history)',
    ])
  })

  it('that is told as undone has an iteration that was', () => {
    const undone = (at: number, change: object = {}) =>
      outcome('each', { idem: idem(at, 'undo'), kind: 'undo', receipt: null, ...change })
    const both = [registered, admitted, expanded(2), ...iteration(0), ...iteration(1)]
    const missing = gaps(both, closed('settled', 'settled'))
    expect(missing).toEqual(['each NO_OUTCOME (Temporal history)'])
    const skipped = undone(1, { outcome: 'skipped', attempts: 0 })
    const written = [...both, undone(0, { attempts: 0 }), skipped]
    expect(gaps(written, closed('settled', 'settled'))).toEqual(['each NO_RECEIPT (audit)'])
  })

  it('names what an agent did of it without a token', () => {
    const ledgers = ledger(done('each', { idem: idem(1) }))
    const others = {
      ...closed('failed'),
      ledgersBefore: ledgers,
      plans: new Map([[run, ['each']]]),
    }
    expect(gaps([registered, admitted, expanded(2)], others)).toEqual([
      'each NOT_RECORDED (ledger of notes.0)',
    ])
  })
})
