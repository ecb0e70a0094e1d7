// What each model is told of a conversation: words, and results by handle, type and label; of what is private
// only a model of the house, and of a result itself nobody anything.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import type { PinnedHandle } from '../../plan/handle.ts'
import { type ToldTurn, tellTo } from '../../plan/told.ts'

const house = { provider: 'local', model: 'qwen3:8b' }
const others = [
  ['of a provider', { provider: 'openai', model: 'gpt-6-luna' }],
  ['of the house whose server passes questions on', { provider: 'local', model: 'big:cloud' }],
  ['of a provider that nobody knows', { provider: 'stranger', model: 'x' }],
] as const

const pin = (agent: string, action: string, more: Partial<PinnedHandle> = {}): PinnedHandle => ({
  ...{ agent, action, rerun: 0, hash: 'A'.repeat(43), readers: 'PUBLIC', agents: [] },
  ...more,
})
const found = { 'chat-1/found/0': pin('calendar', 'find') }
const weather = { 'chat-2/now/0': pin('weather', 'forecast') }

const turn = (words: string, more: Partial<ToldTurn> = {}): ToldTurn => ({
  ...{ words, readers: ['user:owner'], handles: {} },
  ...more,
})
const told = (model: typeof house, ...turns: readonly ToldTurn[]) => tellTo(model, turns, catalogue)

describe('a model of the house', () => {
  it('is told what was said, the oldest first, and what came of it', () => {
    const turns = [
      turn('find lunch with Anna', { handles: found }),
      turn('how is the weather', { handles: weather }),
    ]
    expect(told(house, ...turns)).toEqual({
      words: ['find lunch with Anna', 'how is the weather'],
      handles: [
        {
          handle: 'chat-1/found/0',
          type: expect.stringMatching(/^calendar\.find: \{.*event/),
          label: 'private, untrusted',
          said: 'find lunch with Anna',
        },
        {
          handle: 'chat-2/now/0',
          type: expect.stringMatching(/^weather\.forecast: /),
          label: 'public, untrusted',
          said: 'how is the weather',
        },
      ],
    })
  })

  it('is told nothing of what is not even for its person, or of what no manifest knows', () => {
    const nobodys = { 'chat-1/found/0': pin('calendar', 'find', { readers: [] }) }
    const gone = { 'chat-1/found/0': pin('calendar', 'lost'), 'chat-1/x/0': pin('lost', 'find') }
    expect(told(house, turn('a', { handles: nobodys })).handles).toEqual([])
    expect(told(house, turn('a', { handles: gone })).handles).toEqual([])
  })
})

describe.each(others)('a model %s', (_, model) => {
  it('is told no words but those that models were asked about, and no private result', () => {
    const asked = turn('plan my trip', { readers: 'PUBLIC', handles: found })
    expect(told(model, turn('how is my blood pressure'), asked)).toEqual({
      words: ['plan my trip'],
      handles: [],
    })
  })

  it('is told of what anybody may see, and not with which words it was asked for', () => {
    const before = turn('is it raining where Anna lives', { handles: weather })
    expect(told(model, before)).toMatchObject({
      words: [],
      handles: [{ handle: 'chat-2/now/0', label: 'public, untrusted', said: '' }],
    })
    const made = { 'chat-2/now/0': pin('weather', 'forecast', { readers: ['user:owner'] }) }
    expect(told(model, turn('x', { handles: made })).handles).toEqual([])
  })
})

it('names nobody who may see a result', () => {
  const annas = {
    'chat-1/found/0': pin('calendar', 'find', { readers: ['addr:anna@x.org', 'user:owner'] }),
  }
  expect(JSON.stringify(told(house, turn('x', { handles: annas })))).not.toContain('anna')
})
