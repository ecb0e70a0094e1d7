// What every provider's adapter offers, and nothing of any one of them: a text for a question, vectors
// for texts, a count. Obligations of an adapter: one request for one question, nothing asked again by
// itself, and every way in which an answer can be none told by the code that `failures.ts` has for it.

import type { TokenUsage } from '../../../plan/model-prices.ts'

export { type Provider, providers, type TokenUsage } from '../../../plan/model-prices.ts'

/** A JSON Schema, as providers take it for the shape of an answer. */
export type AnswerSchema = Readonly<Record<string, unknown>>

export interface Question {
  readonly model: string
  /** What the agent itself says to the model: a text of this project, never of anybody else's. */
  readonly system: string
  readonly user: string
  readonly maxOutputTokens: number
  /** The answer is JSON of this shape; absent: words. A provider's promise, checked by who asks. */
  readonly schema?: AnswerSchema
}

export interface Answer {
  /** Never empty. */
  readonly text: string
  readonly model: string
  /** Undefined where the server does not tell it. */
  readonly usage: TokenUsage | undefined
}

/** Told how much of a text has come, and never what: it is no answer before it is whole and checked. */
export type OnCharacters = (soFar: number) => void

export interface EmbeddingQuestion {
  readonly model: string
  readonly texts: readonly string[]
}

export interface Embeddings {
  /** One a text, in their order, all of one length. */
  readonly vectors: readonly (readonly number[])[]
  readonly model: string
  readonly usage: TokenUsage | undefined
}

/**
 * Each throws ActionFailure, with the code of failures.ts, or EgressOutcomeUnknown where nobody knows
 * whether the provider took the question.
 */
export interface ModelPort {
  generate(question: Question, onCharacters: OnCharacters): Promise<Answer>
  embed(question: EmbeddingQuestion): Promise<Embeddings>
  /** Input tokens of a question, as the provider counts them for nothing; undefined where it does not. */
  count(question: Question): Promise<number | undefined>
}
