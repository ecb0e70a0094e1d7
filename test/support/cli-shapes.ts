// The machine-readable shapes of the command, as the tests hold it to them. Written down a second
// time on purpose: a rename in the code must show here.

import { z } from 'zod'

const outcomes = [
  ...['pending', 'running', 'waiting', 'settled', 'already-settled'],
  ...['denied', 'unknown', 'failed', 'skipped'],
] as const
const statuses = [
  ...['running', 'held', 'waiting-approval', 'scheduled'],
  ...['completed', 'failed', 'cancelled', 'denied'],
] as const
export const runSchema = z.object({
  requestId: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  recipe: z.string().optional(),
  status: z.enum(statuses),
  answer: z.string().nullable(),
  steps: z.array(
    z.object({
      id: z.string(),
      agent: z.string(),
      action: z.string(),
      effect: z.string(),
      outcome: z.enum(outcomes),
      code: z.string().optional(),
      undo: z.enum(outcomes).optional(),
      attempts: z.number(),
      durationMs: z.number(),
    }),
  ),
  audit: z.object({
    rows: z.number(),
    verified: z.boolean(),
    head: z.string(),
    scope: z.literal('head').optional(),
  }),
  links: z.object({ temporal: z.string() }),
})
export const issuesSchema = z.array(
  z.object({
    code: z.string(),
    path: z.string(),
    message: z.string(),
    source: z.string().optional(),
    fix: z.string().optional(),
  }),
)
export const checkSchema = z.object({
  ok: z.literal(true),
  digest: z.string(),
  issues: issuesSchema,
  report: z.object({
    levels: z.array(z.array(z.string())),
    agents: z.array(z.string()),
    effects: z.array(z.object({ step: z.string(), effect: z.string(), undo: z.boolean() })),
    leaves: z.array(z.unknown()),
    approvals: z.array(z.string()),
    estimateMs: z.object({ p50: z.number(), p95: z.number() }),
    risk: z.string(),
  }),
})
export const verifySchema = z.object({
  ok: z.literal(true),
  rows: z.number().min(10),
  head: z.unknown(),
  checkpoints: z.number(),
  witnesses: z.number(),
  gaps: z.array(z.unknown()).length(0),
  mismatches: z.array(z.unknown()).length(0),
})
export const statusSchema = z.object({
  ready: z.boolean(),
  build: z.string().regex(/^[0-9a-f]{16}$/),
  processes: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      pid: z.number().nullable(),
      uid: z.number().nullable(),
      restarts: z.number(),
      sinceMs: z.number(),
    }),
  ),
  links: z.object({ temporal: z.url() }),
})
export const agentSchema = z.object({
  name: z.literal('calendar'),
  state: z.string(),
  bootEpoch: z.string(),
  sandbox: z.looseObject({
    driver: z.literal('oci'),
    seccomp: z.literal(2),
    noNewPrivs: z.literal(1),
    capBnd: z.literal('0000000000000000'),
    rootReadOnly: z.literal(true),
    network: z.literal('loopback'),
  }),
  reach: z.object({
    publish: z.array(z.string()),
    subscribe: z.array(z.string()),
    egress: z.array(z.looseObject({ id: z.string(), origins: z.array(z.string()) })),
    mounts: z.array(z.unknown()),
  }),
  actions: z.array(z.looseObject({ name: z.string(), effect: z.string() })),
  pool: z.object({ breaker: z.enum(['closed', 'open', 'half-open']), since: z.number() }),
  metrics: z.looseObject({
    executed: z.number().nullable(),
    failed: z.number().nullable(),
    meanMs: z.number().nullable(),
    successRate: z.number().nullable(),
    cpu: z.number().nullable(),
    memoryBytes: z.number().nullable(),
    lastHeartbeat: z.number().nullable(),
    uptimeMs: z.number().nullable(),
    heartbeat: z.enum(['none', 'present', 'missing']),
  }),
})
export const doctorSchema = z.object({
  ok: z.literal(true),
  checks: z.array(
    z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), fix: z.string().optional() }),
  ),
})
export const requestsSchema = z
  .array(z.looseObject({ requestId: z.string(), createdAt: z.iso.datetime() }))
  .min(1)
export const rowsSchema = z.array(z.looseObject({ seq: z.number(), kind: z.string() })).min(1)
export const recipesSchema = z.array(z.looseObject({ name: z.string(), title: z.string() })).min(1)
