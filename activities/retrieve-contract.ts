// What a person asks the retriever and what it answers: `worker.retrieve`, RETRIEVAL_REQUEST and
// RETRIEVAL_RESPONSE. Shapes only. Who asks is the account in the subject, never a field.

import { z } from 'zod'
import { integrities } from '../plan/labels.ts'
import { requestIdPattern } from '../plan/schema.ts'

export const retrievalSources = ['memory', 'history', 'configuration'] as const
export type RetrievalSource = (typeof retrievalSources)[number]

/** Of one text; what is longer is to be opened by its name. */
export const maxFoundCharacters = 400
const requestId = z.string().regex(requestIdPattern)

export const retrieveCall = z.strictObject({
  query: z.string().min(1).max(500),
  /** Each once. */
  sources: z
    .array(z.enum(retrievalSources))
    .min(1)
    .max(retrievalSources.length)
    .refine((all) => new Set(all).size === all.length),
  /** The run that asks the person's memory, begun by themselves: nobody here opens its files. */
  memory: z.strictObject({ requestId }).optional(),
  /** Of each source, at most so many. */
  limit: z.number().int().min(1).max(50),
})
export type RetrieveCall = z.infer<typeof retrieveCall>

const label = z.strictObject({
  integrity: z.enum(integrities),
  /** Principals; whoever asked is one of them. */
  readers: z.array(z.string()),
  /** Where it is from, for people to read. */
  provenance: z.array(z.string()),
})

const finding = z.strictObject({
  source: z.enum(retrievalSources),
  kind: z.enum(['entry', 'run', 'recipe', 'person', 'place', 'schedule']),
  /** By which it is opened: an entry's id, a request id, a recipe's or a schedule's name. */
  name: z.string(),
  title: z.string(),
  /** Of what was found; nothing but text, and a stranger's where the label says UNTRUSTED. */
  text: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number().int().nullable(),
  /** Of a run, how it stands; of another finding null. */
  status: z.string().nullable(),
  /** Of a run, its answer (`worker.artifact.get`). */
  answerRef: z.string().nullable(),
  label,
})
export type Finding = Readonly<z.infer<typeof finding>>

/** NO_RESULT: the run of the person's own that was named has none, or there is no such run of theirs. */
export const sourceFaults = ['NOT_ASKED', 'NO_RESULT', 'UNAVAILABLE'] as const
export type SourceFault = (typeof sourceFaults)[number]

const report = z.strictObject({
  source: z.enum(retrievalSources),
  /** SLOW: its time was over, or a part of it gave no answer; what it had found is among the findings. */
  status: z.enum(['ANSWERED', 'SLOW', 'FAILED']),
  /** Why it failed. */
  code: z.enum(sourceFaults).nullable(),
  /** All that fit; the findings hold the best of them. */
  count: z.number().int().min(0),
  /** Of all runs, entries or names that it knows, how many were looked at; null: it does not say. */
  looked: z.number().int().min(0).nullable(),
})
export type SourceReport = Readonly<z.infer<typeof report>>

/** Since the worker started. */
const cache = z.strictObject({ hits: z.number().int().min(0), misses: z.number().int().min(0) })
export type CacheCounts = Readonly<z.infer<typeof cache>>

export const retrieveReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('FOUND'),
    /** By source in the order of the call, the best first. */
    findings: z.array(finding),
    /** One for each source of the call. */
    sources: z.array(report),
    cache,
  }),
  z.strictObject({
    status: z.literal('REFUSED'),
    code: z.enum(['MALFORMED', 'NOT_PERMITTED', 'BUSY']),
  }),
])
export type RetrieveReply = z.infer<typeof retrieveReply>
