// `audit report --json`: the whole shape, for those who read it with a program. Shapes only.

import { z } from 'zod'

/** Milliseconds since the epoch. */
const time = z.int()
const count = z.int().min(0)

export const violationSchema = z.strictObject({
  /** Where it was found: which list `code` is of. */
  place: z.enum([
    'notary',
    'agent',
    'egress',
    'signal',
    'result',
    'outcome',
    'approval',
    'platform',
    'audit',
    'gap',
  ]),
  code: z.string(),
  /** Ids of the rules that were asked. */
  rules: z.array(z.string()),
  /** The first twenty that it was found in; empty where no run is concerned. */
  runs: z.array(z.string()),
  /** A step, an agent, a schedule. */
  subject: z.string(),
  /** How often; `rows` are the first twenty, none for what is no row. */
  count: z.int().min(1),
  rows: z.array(z.int()),
  firstAt: time.nullable(),
  lastAt: time.nullable(),
  /** `unknown`: nobody knows whether it happened. */
  prevented: z.enum(['yes', 'no', 'unknown']),
  /** A person should do something about it. */
  person: z.boolean(),
  what: z.string(),
  /** The next command, or the line of the configuration. */
  next: z.string(),
})
export type Violation = z.infer<typeof violationSchema>

export const checksSchema = z.strictObject({
  plans: z.strictObject({ registered: count, admitted: count, refused: count }),
  decisions: z.strictObject({
    /** Effects that a rule allowed, and those that a person had decided on. */
    allowed: count,
    asked: count,
    refused: count,
    /** How many effects were decided under each policy, by its digest. */
    policies: z.record(z.string(), count),
    /** How often each rule was named by a refusal, a question or a permission. */
    rules: z.record(z.string(), count),
    flow: count,
    policy: count,
  }),
  approvals: z.strictObject({
    asked: count,
    approved: count,
    denied: count,
    expired: count,
    used: count,
    /** A standing decision given, used instead of a question, taken back. */
    granted: count,
    grantsUsed: count,
    revoked: count,
  }),
  tokens: z.strictObject({
    intents: count,
    /** To begin an effect; each needs an intent. */
    minted: count,
    /** To follow one that is out. */
    following: count,
    /** Without an intent before it. */
    unintended: count,
  }),
  /** Of effects that had a token, by agent and class. */
  effects: z.array(
    z.strictObject({
      agent: z.string(),
      effect: z.string(),
      settled: count,
      failed: count,
      unknown: count,
    }),
  ),
  steps: z.strictObject({ skipped: count, denied: count }),
  results: z.strictObject({ accepted: count, refused: count, faults: z.record(z.string(), count) }),
  unknown: z.strictObject({ told: count, resolved: count, open: count }),
  undos: z.strictObject({ settled: count, failed: count, unknown: count }),
  quarantines: z.strictObject({ imposed: count, lifted: count }),
  egress: z.strictObject({ requests: count, tunnels: count, refused: count, failed: count }),
  keys: z.strictObject({ replaced: count }),
  policies: z.strictObject({ changed: count, refused: count }),
})
export type Checks = z.infer<typeof checksSchema>

export const reportSchema = z.strictObject({
  version: z.literal(1),
  scope: z.strictObject({
    /** Empty: all runs. */
    run: z.string(),
    since: time.nullable(),
    until: time.nullable(),
    /** Of the rows in scope. */
    rows: count,
    firstRow: z.int().nullable(),
    lastRow: z.int().nullable(),
  }),
  checks: checksSchema,
  /** Of the whole audit, whatever the scope. */
  audit: z.strictObject({
    verified: z.boolean(),
    rows: count,
    checkpoints: count,
    witnesses: count,
    gaps: count,
    unreached: z.array(z.string()),
  }),
  /** Those for a person first. */
  violations: z.array(violationSchema),
  /** How many of them are for a person. */
  forPerson: count,
})
export type ComplianceReport = z.infer<typeof reportSchema>
