// `<state>/run/deployment.json`: how programs on this machine find a running deployment. Written by
// the supervisor, read by every entry point. Addresses and ports only, never a secret.

import { z } from 'zod'

export const deploymentSchema = z.strictObject({
  version: z.literal(1),
  /** Random, drawn when the state folder is created; part of token issuers and sandbox names. */
  deployment: z.string().regex(/^[a-z0-9]{8}$/),
  pid: z.number().int(),
  startedAt: z.number().int(),
  /** Of the worker, as `status` shows it; a file of an earlier release has none. */
  build: z.string().optional(),
  /** Where the person lives: IANA name; unset where bulkhead.yaml does not say. */
  timezone: z.string().optional(),
  /** Models that are asked for a plan where no recipe fits, as `provider/model`; unset: none. */
  planner: z.array(z.string()).optional(),
  /** The model of the house that finds what means the same; unset: none. */
  embeddings: z.string().optional(),
  temporal: z.strictObject({
    /** host:port */
    address: z.string(),
    namespace: z.string(),
    taskQueue: z.string(),
    ui: z.string(),
  }),
  bus: z.strictObject({ host: z.string(), port: z.number().int(), caFile: z.string() }),
  controlSocket: z.string(),
})
export type Deployment = z.infer<typeof deploymentSchema>
