// The envelope of every message on the bus (contracts.md, "Messages"). Caller identity is never
// read from it: `sender` is for people who read logs; who called is the subject that the server
// mapped. W3C trace context travels in NATS headers only.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'

export const messageTypes = [
  'TASK_REQUEST',
  'TASK_RESPONSE',
  'VALIDATION_REQUEST',
  'VALIDATION_RESPONSE',
  'RETRIEVAL_REQUEST',
  'RETRIEVAL_RESPONSE',
  'HEARTBEAT',
  'STATUS_UPDATE',
  'ERROR_NOTIFICATION',
] as const
export type MessageType = (typeof messageTypes)[number]

export const agentMessageSchema = z.strictObject({
  id: z.string().min(1).max(64),
  sender: z.string().min(1).max(80),
  receiver: z.string().min(1).max(80),
  /** Milliseconds since the epoch. */
  timestamp: z.number().int(),
  type: z.enum(messageTypes),
  payload: z.unknown(),
  correlationId: z.string().max(128),
  priority: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  /** Milliseconds after `timestamp` at which the message is worthless and refused. */
  ttl: z
    .number()
    .int()
    .positive()
    .max(24 * 3_600_000),
})
export type AgentMessage = z.infer<typeof agentMessageSchema>

export interface MessageHead {
  readonly sender: string
  readonly receiver: string
  readonly type: MessageType
  readonly correlationId: string
  readonly priority?: AgentMessage['priority']
  readonly ttl?: number
}

const defaultTtlMs = 30_000

/** Wraps a payload. `now` is milliseconds since the epoch. */
export function createMessage(head: MessageHead, payload: unknown, now: number): AgentMessage {
  return {
    id: randomUUID(),
    sender: head.sender,
    receiver: head.receiver,
    timestamp: now,
    type: head.type,
    payload,
    correlationId: head.correlationId,
    priority: head.priority ?? 'MEDIUM',
    ttl: head.ttl ?? defaultTtlMs,
  }
}

/** True when the message is older than it says it may be; the clock skew forgiven is two seconds. */
export function isExpired(message: AgentMessage, now: number): boolean {
  return now > message.timestamp + message.ttl + 2_000
}
