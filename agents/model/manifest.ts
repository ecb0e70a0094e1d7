// What the agent of language models declares: four questions to a model, each to the one provider that
// the step names. Data and zod only. Who sees a question is the provider's host, so the flow rules decide
// what a cloud may be told; a model of the house (`local`) tells nobody. Whatever a model answers is a
// stranger's word: untrusted, bounded, and never an instruction.

import { z } from 'zod'
import { defineManifest, type EgressDeclaration } from '../../plan/manifest.ts'
import { providers } from './providers/port.ts'

/** The longest that a model may think: a step that takes longer has lost whoever waits for it. */
const answerMs = 120_000
const requestMs = 100_000

/** As a provider names it. Which there are is the provider's to say, and what they cost is plan/model-prices.ts's. */
const model = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/)

const call = {
  model,
  /** What the model may write, thoughts included. */
  maxOutputTokens: z.number().int().min(1).max(16_000).default(4_000),
  /**
   * The most that this call may cost, in millionths of a US dollar: it is not sent where it could come to
   * more. What the notary counts for the step. 0 for a model of the house.
   */
  maxMicroUsd: z.number().int().min(0).max(100_000_000),
}
const callRoles = {
  '/provider': 'control',
  '/model': 'control',
  '/maxOutputTokens': 'control',
  '/maxMicroUsd': 'amount',
} as const

/** In every result: which model answered, as it says itself, and what the provider counted. */
const answered = {
  model: z.string().max(100),
  usage: z.strictObject({
    /** Both null where a server does not count, or does not say. */
    inputTokens: z.number().int().min(0).nullable(),
    outputTokens: z.number().int().min(0).nullable(),
    /** By the prices of this build, rounded up; of what was not counted all that the call might cost. */
    costMicroUsd: z.number().int().min(0),
  }),
}

/** A part of an action's name or of an argument's: nothing that reaches a prototype. */
const name = z.string().regex(/^[a-z][A-Za-z0-9_-]{0,39}$/)
const line = (length: number) => z.string().min(1).max(length)

/** What may be asked of a text: types whose every value a person could check at a glance. */
const field = z.strictObject({
  name,
  type: z.enum(['enum', 'boolean', 'number', 'date', 'time', 'duration', 'text']),
  /** Of an enum, and of nothing else: what it may be. */
  choices: z.array(line(80)).max(40).default([]),
  /** Of a text, and of nothing else: characters. */
  maxLength: z.number().int().min(1).max(200).default(80),
  /** What is wanted, in words. */
  hint: z.string().max(300).default(''),
})
export type Field = z.infer<typeof field>

const common = {
  effect: 'egress',
  undo: 'none',
  // A question asked twice changes nothing but what it costs.
  idempotent: true,
  timeoutMs: answerMs,
  audience: { hostOf: '/provider' },
  // One budget for whatever models cost: `policy.budgets.amounts.model.micro_usd`.
  units: { '/maxMicroUsd': 'model.micro_usd' },
  // Reserved before the call, and lowered to what it came to.
  spent: { '/maxMicroUsd': '/usage/costMicroUsd' },
} as const

const keyOf = (provider: string, as: 'bearer' | { readonly header: string }) => ({
  secret: { config: `model.${provider}Key` },
  as,
})

const cloud = (
  id: 'anthropic' | 'openai' | 'gemini',
  { paths, as }: { paths: readonly string[]; as: 'bearer' | { readonly header: string } },
): EgressDeclaration => ({
  id,
  // Nothing is asked of anybody whom the person has not named.
  host: { config: `model.${id}` },
  port: 443,
  protocol: 'https',
  allow: paths.map((path) => ({ methods: ['POST'], path })),
  credential: keyOf(id, as),
  requestMs,
})

const egress: readonly EgressDeclaration[] = [
  cloud('anthropic', {
    paths: ['/v1/messages', '/v1/messages/count_tokens'],
    as: { header: 'x-api-key' },
  }),
  cloud('openai', { paths: ['/v1/chat/completions', '/v1/embeddings'], as: 'bearer' }),
  cloud('gemini', {
    paths: ['/v1beta/openai/chat/completions', '/v1beta/openai/embeddings'],
    as: 'bearer',
  }),
  {
    id: 'local',
    host: { config: 'model.local' },
    port: 11_434,
    protocol: 'http',
    allow: ['/v1/chat/completions', '/v1/embeddings'].map((path) => ({ methods: ['POST'], path })),
    privateAddress: true,
    // What makes its audience the owner: an address elsewhere is refused, whatever the setting says.
    onlyPrivate: true,
    requestMs,
  },
]

export const manifest = defineManifest({
  name: 'model',
  summary: 'asks a language model, of a provider or of the house',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [],
  egress,
  actions: {
    propose: {
      ...common,
      summary:
        'a plan for what a person asked for, or a question, or a refusal; never carried out as it is',
      egress: [...providers],
      input: z.strictObject({
        provider: z.enum(providers),
        ...call,
        /** What the person said, their turns in order. */
        words: z.array(line(4_000)).min(1).max(20),
        /** RFC 3339 with the person's offset. */
        now: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})$/),
        /** The actions that a step may name, and what each takes. */
        actions: z
          .array(
            z.strictObject({
              action: z.string().regex(/^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_]{0,39}$/),
              summary: line(300),
              args: z.array(z.strictObject({ name, type: line(400) })).max(40),
              /** Of the result, in words. */
              result: z.string().max(600).default(''),
            }),
          )
          .min(1)
          .max(120),
        /** Earlier results that a step may refer to: names, types and labels, never what is in them. */
        handles: z
          .array(
            z.strictObject({
              handle: line(170),
              type: line(400),
              /** Who may see it, and whether it is to be believed, in a word each. */
              label: line(40).default('private, untrusted'),
              /** What the person had asked for then. */
              said: z.string().max(200).default(''),
            }),
          )
          .max(40)
          .default([]),
        /** What was wrong with the proposal before this one: codes and places in it, no content. */
        issues: z
          .array(
            z.strictObject({
              code: z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/),
              path: z.string().max(200),
            }),
          )
          .max(40)
          .default([]),
      }),
      output: z.strictObject({
        kind: z.enum(['plan', 'question', 'refusal']),
        /** JSON of a plan as a person could have written it; empty for the other two. */
        proposal: z.string().max(64 * 1024),
        /** What is asked, or why not; empty for a plan. */
        text: z.string().max(1_000),
        /** Of a question: answers to choose from. */
        options: z.array(z.string().max(200)).max(10),
        ...answered,
      }),
      quotes: ['/proposal', '/text', '/options'],
      roles: {
        ...callRoles,
        '/words/*': 'content',
        '/now': 'content',
        '/actions/*/action': 'content',
        '/actions/*/summary': 'content',
        '/actions/*/args/*/name': 'content',
        '/actions/*/args/*/type': 'content',
        '/actions/*/result': 'content',
        '/handles/*/handle': 'content',
        '/handles/*/type': 'content',
        '/handles/*/label': 'content',
        '/handles/*/said': 'content',
        '/issues/*/code': 'content',
        '/issues/*/path': 'content',
      },
      maxResultBytes: 160 * 1024,
    },
    extract: {
      ...common,
      summary: 'a few values of bounded types out of a text',
      egress: [...providers],
      input: z.strictObject({
        provider: z.enum(providers),
        ...call,
        text: z.string().max(40_000),
        fields: z.array(field).min(1).max(20),
      }),
      output: z.strictObject({
        /** In the order of the fields asked for; all three are null where the text does not say. */
        fields: z
          .array(
            z.strictObject({
              name: z.string().max(40),
              /** Of an enum, date (YYYY-MM-DD), time (HH:MM), duration (ISO 8601) or text. */
              text: z.string().max(200).nullable(),
              number: z.number().nullable(),
              boolean: z.boolean().nullable(),
            }),
          )
          .max(20),
        ...answered,
      }),
      quotes: ['/fields'],
      roles: {
        ...callRoles,
        '/text': 'content',
        '/fields/*/name': 'control',
        '/fields/*/type': 'control',
        '/fields/*/choices/*': 'control',
        '/fields/*/maxLength': 'control',
        '/fields/*/hint': 'control',
      },
      maxResultBytes: 16 * 1024,
    },
    compose: {
      ...common,
      summary: 'a text made of others, as plain words and nothing else',
      egress: [...providers],
      input: z.strictObject({
        provider: z.enum(providers),
        ...call,
        /** What is to be written. */
        instruction: line(2_000),
        material: z
          .array(z.strictObject({ title: z.string().max(100), text: z.string().max(20_000) }))
          .max(20)
          .default([]),
        maxCharacters: z.number().int().min(1).max(8_000).default(2_000),
      }),
      output: z.strictObject({
        /** No control or direction characters but line ends; what looks like a link or markup is only text. */
        text: z.string().max(8_000),
        ...answered,
      }),
      quotes: ['/text'],
      roles: {
        ...callRoles,
        '/instruction': 'control',
        '/material/*/title': 'content',
        '/material/*/text': 'content',
        '/maxCharacters': 'control',
      },
      maxResultBytes: 40 * 1024,
    },
    embed: {
      ...common,
      summary: 'texts as vectors, to find what means the same',
      // Anthropic has no such question.
      egress: ['openai', 'gemini', 'local'],
      input: z.strictObject({
        provider: z.enum(['openai', 'gemini', 'local']),
        model,
        maxMicroUsd: call.maxMicroUsd,
        texts: z.array(line(8_000)).min(1).max(16),
      }),
      output: z.strictObject({
        dimensions: z.number().int().min(1).max(4_096),
        /** One a text: its numbers as 32-bit floats, little-endian, in base64. */
        vectors: z.array(z.string().max(22_000)).max(16),
        ...answered,
      }),
      roles: {
        '/provider': 'control',
        '/model': 'control',
        '/maxMicroUsd': 'amount',
        '/texts/*': 'content',
      },
      maxResultBytes: 400 * 1024,
    },
  },
})
