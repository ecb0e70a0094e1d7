// What entry points ask of the worker's artifact store over the bus. Shapes only. Who asks is the
// account in the subject that the server mapped, never a field.

import { z } from 'zod'
import { requestIdPattern } from '../plan/schema.ts'

export { requestDocumentSchema, standingOf } from '../activities/request-document.ts'

/** Two MiB of message, less its envelope and the escapes of JSON inside JSON. */
export const maxContentCharacters = 1_536 * 1024

/**
 * `worker.artifact.put`: `content` is the JSON text of a `requestDocumentSchema`, or of a
 * `turnDocumentSchema` with the turn's id.
 */
export const artifactPutCall = z.strictObject({
  kind: z.enum(['request', 'turn']),
  requestId: z.string().regex(requestIdPattern),
  content: z.string().max(maxContentCharacters),
})
export type ArtifactPutCall = z.infer<typeof artifactPutCall>

/** `worker.artifact.get` */
export const artifactGetCall = z.strictObject({ ref: z.string().max(128) })
export type ArtifactGetCall = z.infer<typeof artifactGetCall>

export const artifactCodes = [
  'MALFORMED',
  'NOT_FOUND',
  'NOT_PERMITTED',
  'CORRUPT',
  'STORAGE_FULL',
  'TOO_LARGE',
] as const
const refused = z.strictObject({ status: z.literal('REFUSED'), code: z.enum(artifactCodes) })
export type ArtifactRefusal = z.infer<typeof refused>

/** Of a request, `ref` is the `requestRef` that the workflow is started with. */
export const artifactPutReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('STORED'), ref: z.string() }),
  refused,
])
export type ArtifactPutReply = z.infer<typeof artifactPutReply>

export const artifactGetReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('FOUND'),
    kind: z.string(),
    requestId: z.string(),
    content: z.string(),
  }),
  refused,
])
export type ArtifactGetReply = z.infer<typeof artifactGetReply>
