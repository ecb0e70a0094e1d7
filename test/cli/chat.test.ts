// `bulkhead chat` with an assistant in memory: what is kept before it is said, and what counts as a yes.

import { describe, expect, it } from 'vitest'
import { chatShowCommand } from '../../cli/commands/chat.ts'
import type { Decide } from '../../plan/policy.ts'
import { chatForTests, line } from '../support/chatting.ts'

const { own, output, chat, statuses, kept } = chatForTests()

const refuses: Decide = () => ({ verdict: 'deny', rules: ['test'], missing: 'another policy' })

describe('a turn', () => {
  it('is registered under its own id behind a yes, and begun', async () => {
    expect(await chat(['check my backups', 'yes'])).toBe('watched')
    const [turn] = own.fake.conversation.turns
    expect(own.fake.calls).toEqual([
      `say ${turn?.turnId}`,
      'answer planned',
      'accept',
      `request ${turn?.turnId}`,
      'begin',
    ])
    expect(kept('chat/outbox')).toEqual([])
    expect(kept('chat/unseen')).toEqual([turn?.turnId])
  })

  it.each([[['check my backups', 'no']], [['check my backups', '']]])(
    'is not run on %j',
    async (typed) => {
      expect(await chat(typed)).toBe(1)
      expect(statuses()).toEqual(['dropped'])
      expect(own.said).toContain('nothing was run')
    },
  )

  it('is replaced by what is said instead of a yes', async () => {
    await chat(['what is on tomorrow', 'and the day after?', 'no'])
    expect(statuses()).toEqual(['dropped', 'dropped'])
    expect(own.said.filter((line) => line.startsWith('taken as'))).toEqual([
      expect.stringMatching(/^taken as: what is on 20/),
    ])
  })

  it('has a line of its own with --json where another was said instead of a yes', async () => {
    const first = 'what is on tomorrow'
    await chat([first, 'and the day after?', 'put it in my notes', 'no'], { json: true })
    expect(own.lined).toEqual([
      line({ words: first, status: 'dropped' }, 'plan'),
      line({ words: 'and the day after?', status: 'dropped' }, 'plan'),
      line({ words: 'put it in my notes', status: 'dropped' }, 'plan'),
    ])
    expect(statuses()).toEqual(['dropped', 'dropped', 'dropped'])
  })

  it('has no line with --json where nothing was said but how to leave', async () => {
    await chat(['what is on tomorrow', '/help', '/new', '/quit'], { json: true })
    expect(own.lined).toEqual([])
    expect(statuses()).toEqual(['planned'])
    // Another command, which does not ask about it, ends it.
    await chat(['pay the rent'], { json: true, anew: true })
    expect(own.lined).toEqual([
      line({ words: 'what is on tomorrow', status: 'dropped' }, 'plan'),
      line({ words: 'pay the rent', status: 'refused' }, 'refusal'),
    ])
  })

  it('of a question or a refusal runs nothing, and a number is the answer', async () => {
    expect(await chat(['remind me to go on 2030-05-01 at 5', '2', 'no'])).toBe(1)
    expect(statuses()).toEqual(['asked', 'dropped'])
    expect(own.said).toContain('  2  remind me to go on 2030-05-01 at 17:00')
    expect(await chat(['pay the rent'])).toBe(2)
    expect(statuses().at(-1)).toBe('refused')
  })

  it('is refused where it is too long to be taken up, and is not kept', async () => {
    expect(await chat(['x'.repeat(4_001)])).toBe(2)
    expect(own.said).toContain('a line has at most 4000 characters')
    expect(await chat(['pay the rent'])).toBe(2)
    expect(statuses()).toEqual(['refused'])
  })

  it('is in a new session where that was said', async () => {
    await chat(['what is on tomorrow', 'no', '/new', 'and the day after?', '/help', '/quit', 'x'])
    expect(own.fake.conversation.turns.map(({ session }) => session)).toEqual([1, 2])
    expect(statuses()).toEqual(['dropped', 'refused'])
    expect(own.said.join('\n')).not.toContain('taken as:')
  })

  it.each([
    ['that a model would plan', 'colourless green ideas', 'other ideas', ['local/model']],
    ['that a recipe fits', 'what is on tomorrow', 'note that all is well', []],
  ])(
    '%s are asked about where the store gives others than were typed',
    async (_, words, others, models) => {
      const { documents } = own.fake
      const kept = documents.get.bind(documents)
      documents.get = (ref) => {
        const found = kept(ref)
        return found && { ...found, content: found.content.replaceAll(words, others) }
      }
      expect(await chat([words, 'no'], { models, yes: true })).toBe(1)
      expect(own.said).toContain(`not typed here: ${JSON.stringify(others)}`)
      expect(statuses()).toEqual(['dropped'])
      expect(own.fake.calls.filter((call) => call.startsWith('request'))).toEqual([])
    },
  )

  it("that no recipe fits is a model's to plan where one is set up, and its plan waits in its run", async () => {
    const models = ['local/model']
    const words = 'colourless green ideas'
    expect(await chat([words], { models })).toBe('watched')
    expect(statuses()).toEqual(['begun'])
    expect(own.said).toContain('no recipe fits: local/model is asked for a plan')
    expect(own.said).not.toContain('run it? [y/N] ')
    const registered = [...own.fake.documents.values()].map(({ content }) => content)
    expect(registered).toContain(
      JSON.stringify({ kind: 'text', name: 'chat', source: words, inputs: {} }),
    )
  })

  it('that a recipe fits is not said to fit none where a model is wanted', async () => {
    const models = ['local/model']
    expect(await chat(['check my backups'], { models, planner: 'model' })).toBe('watched')
    expect(own.said).toContain('local/model is asked for a plan')
    expect(own.said.join()).not.toContain('no recipe fits')
  })

  it.each(['and the day after?', 'put it in my notes', 'pay the rent'])(
    'goes to no model where it refers to something, or is nothing for anybody: %s',
    async (words) => {
      expect(await chat([words], { models: ['local/model'] })).toBe(2)
      expect(statuses()).toEqual(['refused'])
    },
  )

  it('that the policy refuses is refused before it is shown', async () => {
    await chat(['note that x', 'yes'], { decide: refuses })
    expect(statuses()).toEqual(['refused', 'refused'])
    expect(own.said.join()).toContain('POLICY')
    expect(own.said).not.toContain('run it? [y/N] ')
  })
})

it('shows what was said and what it was taken for', async () => {
  await chat(['what is on 2030-05-01', 'no', 'and the day after?', 'no'])
  own.said.length = 0
  await chatShowCommand(own.fake.session, output)
  expect(own.said).toEqual([
    expect.stringContaining('dropped  "what is on 2030-05-01"'),
    expect.stringContaining('dropped  "and the day after?" (what is on 2030-05-02)'),
  ])
})
