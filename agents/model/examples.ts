// Calls of every action, for `bulkhead agent check`: a provider that answers with one fixed exchange to
// each kind of question, in the shape that it publishes.

import type { AgentExamples, ExampleReply, ExampleRequest } from '../check/examples-contract.ts'

const call = { maxOutputTokens: 200, maxMicroUsd: 100_000 }
const claude = { provider: 'anthropic', model: 'claude-haiku-5-5', ...call }
const house = { provider: 'local', model: 'qwen3:8b', ...call, maxMicroUsd: 0 }
const offered = {
  action: 'notes.append',
  summary: 'adds text to the end of a note',
  args: [
    { name: 'note', type: 'text' },
    { name: 'text', type: 'text' },
  ],
}

/** By a word of the question, what the model says; any other question is declined. */
const says: readonly (readonly [RegExp, string])[] = [
  [/seats/, '{"seats": 4}'],
  [/birthday/, 'Dinner is on Friday.'],
  [
    /milk/,
    JSON.stringify({
      answer: {
        kind: 'plan',
        goal: 'Write down milk',
        steps: [
          {
            id: 'note',
            action: 'notes.append',
            args: [
              { name: 'note', json: '"shopping"' },
              { name: 'text', json: '"milk"' },
            ],
            needs: [],
          },
        ],
        answerFrom: ['note'],
      },
    }),
  ],
]

const json = (body: object): ExampleReply => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

function answer({ path, body = '' }: ExampleRequest): ExampleReply {
  if (path.endsWith('/count_tokens')) return json({ input_tokens: 100 })
  if (path.endsWith('/embeddings')) return json(vectorsFor(body))
  const text = says.find(([question]) => question.test(body))?.[1]
  const usage = { input_tokens: 100, output_tokens: 20 }
  if (path === '/v1/messages') {
    return json({
      type: 'message',
      model: 'claude-haiku-5-5',
      content: text === undefined ? [] : [{ type: 'text', text }],
      stop_reason: text === undefined ? 'refusal' : 'end_turn',
      usage,
    })
  }
  const message = { role: 'assistant', content: text ?? null }
  return json({
    model: 'qwen3:8b',
    choices: [{ index: 0, message, finish_reason: text === undefined ? 'content_filter' : 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20 },
  })
}

function vectorsFor(body: string): object {
  const asked: unknown = JSON.parse(body)
  const texts = asked instanceof Object && 'input' in asked ? asked.input : []
  const count = Array.isArray(texts) ? texts.length : 0
  const data = Array.from({ length: count }, (_, index) => ({ index, embedding: [1, 0, index] }))
  return { model: 'embeddinggemma', data, usage: { prompt_tokens: 5 } }
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'providers',
      now: '2026-11-22T08:00:00Z',
      origins: {
        anthropic: ['https://api.anthropic.com'],
        openai: ['https://api.openai.com'],
        gemini: ['https://generativelanguage.googleapis.com'],
        local: ['http://127.0.0.1:11434'],
      },
      servers: () => ({ answer }),
      calls: {
        propose: [
          {
            args: {
              ...claude,
              words: ['put milk on the shopping list'],
              now: '2026-11-22T09:00:00+01:00',
              actions: [offered],
            },
          },
        ],
        extract: [
          { args: { ...house, text: 'four of us', fields: [{ name: 'seats', type: 'number' }] } },
          {
            args: {
              ...house,
              text: 'four of us',
              fields: [{ name: 'seats', type: 'number', choices: ['four'] }],
            },
            fails: 'INVALID_INPUT',
          },
        ],
        compose: [
          { args: { ...claude, instruction: 'a word about the birthday' } },
          { args: { ...house, instruction: 'anything else' }, fails: 'DECLINED' },
          {
            args: { ...claude, maxMicroUsd: 0, instruction: 'a word about the birthday' },
            fails: 'LIMIT_EXCEEDED',
          },
        ],
        embed: [
          {
            args: {
              provider: 'local',
              model: 'embeddinggemma',
              maxMicroUsd: 0,
              texts: ['one', 'two'],
            },
          },
        ],
      },
    },
  ],
}
