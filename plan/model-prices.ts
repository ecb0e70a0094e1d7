// What models cost and how much they take, as published: data, with source and date. US dollars for a
// million tokens are millionths of a dollar for one, so prices and costs are in one unit here. A model of
// a provider that is not here has no price, so nothing bounds what it may cost, and it is not asked. Here,
// because who asks a model and who chooses one must count alike. Pure.

export const providers = ['anthropic', 'openai', 'gemini', 'local'] as const
export type Provider = (typeof providers)[number]

/** As the provider counted; of a count that it does not give, nothing is made up. */
export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface ModelPrice {
  readonly provider: Exclude<Provider, 'local'>
  readonly model: string
  /** Whether it writes, or turns texts into numbers; none does both. */
  readonly gives: 'words' | 'vectors'
  /** US dollars for a million tokens, of questions up to `tierTokens`. */
  readonly inputUsd: number
  readonly outputUsd: number
  /** Questions beyond it cost more; those that are asked here stay far below. */
  readonly tierTokens: number
  readonly contextTokens: number
  readonly maxOutputTokens: number
  /** RFC 3339 date up to which the price was announced. */
  readonly until?: string
  readonly source: string
  /** When it was read there. */
  readonly asOf: string
}

const anthropic = (model: string) => ({
  provider: 'anthropic' as const,
  gives: 'words' as const,
  model,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  source: `https://platform.claude.com/docs/en/models/${model.replace(/^claude-/, '')}/overview`,
  asOf: '2026-11-22',
})
/** Read where the provider's page is quoted, not on the page itself. */
const openai = (model: string) => ({
  provider: 'openai' as const,
  gives: 'words' as const,
  model,
  tierTokens: 272_000,
  contextTokens: 1_050_000,
  maxOutputTokens: 128_000,
  source: 'https://developers.openai.com/api/docs/pricing, as quoted by https://docs.litellm.ai',
  asOf: '2026-11-22',
})
const wholeContext = { tierTokens: 1_000_000 }

export const prices: readonly ModelPrice[] = [
  { ...anthropic('claude-fable-5-1'), ...wholeContext, inputUsd: 10, outputUsd: 50 },
  { ...anthropic('claude-opus-5-5'), ...wholeContext, inputUsd: 4, outputUsd: 20 },
  { ...anthropic('claude-sonnet-5-5'), ...wholeContext, inputUsd: 2, outputUsd: 10 },
  { ...anthropic('claude-haiku-5-5'), tierTokens: 100_000, inputUsd: 0.1, outputUsd: 0.5 },
  { ...openai('gpt-6.1-sol'), inputUsd: 2, outputUsd: 10 },
  { ...openai('gpt-6.1-terra'), inputUsd: 1, outputUsd: 5 },
  { ...openai('gpt-6-luna'), inputUsd: 0.1, outputUsd: 0.5 },
  {
    provider: 'gemini',
    model: 'gemini-3.8-flash',
    gives: 'words',
    inputUsd: 0.75,
    outputUsd: 3.75,
    tierTokens: 1_000_000,
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    until: '2026-12-31',
    source:
      'https://ai.google.dev/gemini-api/docs/pricing and https://vercel.com/ai-gateway/models/gemini-3.8-flash',
    asOf: '2026-11-22',
  },
  {
    provider: 'gemini',
    model: 'gemini-embedding-001',
    gives: 'vectors',
    inputUsd: 0.15,
    outputUsd: 0,
    tierTokens: 1_000_000,
    contextTokens: 2_048,
    maxOutputTokens: 1,
    source: 'https://opencode.ai/data/google/gemini-embedding-001.md',
    asOf: '2026-11-22',
  },
]

const free = { inputUsd: 0, outputUsd: 0 } as const
export type Rates = Pick<ModelPrice, 'inputUsd' | 'outputUsd'>

export interface ModelName {
  readonly provider: Provider
  readonly model: string
}

export function priceOf({ provider, model }: ModelName): ModelPrice | undefined {
  return prices.find((one) => one.provider === provider && one.model === model)
}

/** A server of the house that passes on to its maker's cloud says so in the model's name (Ollama). */
export function isPassedOn({ provider, model }: ModelName): boolean {
  return provider === 'local' && /[:-]cloud$/.test(model)
}

/** Undefined where nobody knows what it costs now. @param now milliseconds since the epoch */
export function ratesOf(name: ModelName, now: number): Rates | undefined {
  if (name.provider === 'local') return free
  const found = priceOf(name)
  const ends = found?.until === undefined ? undefined : Date.parse(`${found.until}T23:59:59Z`)
  return ends !== undefined && now > ends ? undefined : found
}

/**
 * Beyond a token for each byte of a question (byte-pair encodings over bytes, as all of these have): what a
 * provider adds of its own where it is given a shape to answer in.
 */
export const addedTokens = 2_000
/** What a provider may frame each text with that it turns into numbers. */
export const textFrameTokens = 16

/** Millionths of a US dollar, rounded up. */
export function costOf({ inputTokens, outputTokens }: TokenUsage, rates: Rates): number {
  // Thousandths of the unit are as fine as prices are written: whole numbers do not drift.
  const milli = (usd: number) => Math.round(usd * 1_000)
  return Math.ceil(
    (inputTokens * milli(rates.inputUsd) + outputTokens * milli(rates.outputUsd)) / 1_000,
  )
}
