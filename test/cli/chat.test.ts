// `bulkhead chat` with an assistant in memory: what is kept before it is said, what counts as a yes, and what
// is gone on with at the next start.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetUnseen, keepDraft } from '../../cli/chat/outbox.ts'
import type { ChatOptions } from '../../cli/chat/settle.ts'
import { chatCommand, chatShowCommand } from '../../cli/commands/chat.ts'
import type { Output } from '../../cli/output.ts'
import { forgetYes, rememberYes } from '../../cli/said-yes.ts'
import type { Decide } from '../../plan/policy.ts'
import { nobody } from '../../plan/principals.ts'
import { maxTurns } from '../../workflows/conversation.ts'
import { type FakeChat, fakeChat, Watched } from '../support/fake-chat.ts'
import { decide as allows } from '../support/policy.ts'

let state: string
let fake: FakeChat
let said: string[]
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-chat-'))
  fake = fakeChat(state)
  said = []
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const output: Output = {
  json: false,
  data: (_, human) => said.push(...human()),
  rows: (rows, human) => said.push(...rows.map(human)),
  line: () => undefined,
  talk: (line) => said.push(line),
  problem: (message) => said.push(message),
}

interface Options {
  readonly anew?: boolean
  readonly isTerminal?: boolean
  readonly decide?: Decide
  readonly models?: readonly string[]
  readonly yes?: boolean
  readonly planner?: ChatOptions['planner']
}

/** The exit code; `watched` where a run was begun and would be watched. */
async function chat(typed: readonly string[], options: Options = {}) {
  const { anew = false, isTerminal = false, decide = allows } = options
  const { models = [], yes = false, planner } = options
  const rest = [...typed]
  const lines = {
    isTerminal,
    next: (prompt: string) => {
      said.push(prompt)
      return Promise.resolve(rest.shift())
    },
    close: () => undefined,
  }
  try {
    return await chatCommand(() => Promise.resolve(fake.session), output, {
      ...{ yes, anew, priority: 'MEDIUM', names: nobody, decide, zone: 'UTC', lines },
      ...{ planner, models },
    })
  } catch (error) {
    if (error instanceof Watched) return 'watched'
    throw error
  }
}

/** As accept() leaves it, where the command is killed before it tells anybody. */
const rememberOf = (turnId: string, document: string | undefined) =>
  rememberYes(state, turnId, JSON.parse(document ?? ''))

const refuses: Decide = () => ({ verdict: 'deny', rules: ['test'], missing: 'another policy' })

const statuses = () => fake.conversation.turns.map(({ status }) => status)
const kept = (folder: string) => readdirSync(join(state, 'cli', folder))

describe('a turn', () => {
  it('is registered under its own id behind a yes, and begun', async () => {
    expect(await chat(['check my backups', 'yes'])).toBe('watched')
    const [turn] = fake.conversation.turns
    expect(fake.calls).toEqual([
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
      expect(said).toContain('nothing was run')
    },
  )

  it('is replaced by what is said instead of a yes', async () => {
    await chat(['what is on tomorrow', 'and the day after?', 'no'])
    expect(statuses()).toEqual(['dropped', 'dropped'])
    expect(said.filter((line) => line.startsWith('taken as'))).toEqual([
      expect.stringMatching(/^taken as: what is on 20/),
    ])
  })

  it('of a question or a refusal runs nothing, and a number is the answer', async () => {
    expect(await chat(['remind me to go on 2030-05-01 at 5', '2', 'no'])).toBe(1)
    expect(statuses()).toEqual(['asked', 'dropped'])
    expect(said).toContain('  2  remind me to go on 2030-05-01 at 17:00')
    expect(await chat(['pay the rent'])).toBe(2)
    expect(statuses().at(-1)).toBe('refused')
  })

  it('is refused where it is too long to be taken up, and is not kept', async () => {
    expect(await chat(['x'.repeat(4_001)])).toBe(2)
    expect(said).toContain('a line has at most 4000 characters')
    expect(await chat(['pay the rent'])).toBe(2)
    expect(statuses()).toEqual(['refused'])
  })

  it('is in a new session where that was said', async () => {
    await chat(['what is on tomorrow', 'no', '/new', 'and the day after?', '/help', '/quit', 'x'])
    expect(fake.conversation.turns.map(({ session }) => session)).toEqual([1, 2])
    expect(statuses()).toEqual(['dropped', 'refused'])
    expect(said.join('\n')).not.toContain('taken as:')
  })

  it.each([
    ['that a model would plan', 'colourless green ideas', 'other ideas', ['local/model']],
    ['that a recipe fits', 'what is on tomorrow', 'note that all is well', []],
  ])(
    '%s are asked about where the store gives others than were typed',
    async (_, words, others, models) => {
      const { documents } = fake
      const kept = documents.get.bind(documents)
      documents.get = (ref) => {
        const found = kept(ref)
        return found && { ...found, content: found.content.replaceAll(words, others) }
      }
      expect(await chat([words, 'no'], { models, yes: true })).toBe(1)
      expect(said).toContain(`not typed here: ${JSON.stringify(others)}`)
      expect(statuses()).toEqual(['dropped'])
      expect(fake.calls.filter((call) => call.startsWith('request'))).toEqual([])
    },
  )

  it("that no recipe fits is a model's to plan where one is set up, and its plan waits in its run", async () => {
    const models = ['local/model']
    const words = 'colourless green ideas'
    expect(await chat([words], { models })).toBe('watched')
    expect(statuses()).toEqual(['begun'])
    expect(said).toContain('no recipe fits: local/model is asked for a plan')
    expect(said).not.toContain('run it? [y/N] ')
    const registered = [...fake.documents.values()].map(({ content }) => content)
    expect(registered).toContain(
      JSON.stringify({ kind: 'text', name: 'chat', source: words, inputs: {} }),
    )
  })

  it('that a recipe fits is not said to fit none where a model is wanted', async () => {
    const models = ['local/model']
    expect(await chat(['check my backups'], { models, planner: 'model' })).toBe('watched')
    expect(said).toContain('local/model is asked for a plan')
    expect(said.join()).not.toContain('no recipe fits')
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
    expect(said.join()).toContain('POLICY')
    expect(said).not.toContain('run it? [y/N] ')
  })
})

describe('at the next start', () => {
  it('what was typed is said first, once, in its order', async () => {
    const at = '2026-11-24T09:30'
    keepDraft(state, { turnId: 'chat-2', words: 'and the day after?', at, zone: 'UTC' })
    keepDraft(state, { turnId: 'chat-1', words: 'what is on tomorrow', at, zone: 'UTC' })
    expect(await chat(['no'])).toBe(1)
    expect(fake.calls.slice(0, 3)).toEqual(['say chat-1', 'answer planned', 'say chat-2'])
    expect(statuses()).toEqual(['dropped', 'dropped'])
    expect(kept('chat/outbox')).toEqual([])
    fake.calls.length = 0
    await chat([])
    expect(fake.calls).toEqual([])
  })

  describe('with as many turns as are kept, each waiting for its run', () => {
    /** Nothing else is kept, and nothing new taken up. */
    async function fill() {
      await chat(['check my backups'])
      const [first] = fake.conversation.turns
      if (first === undefined) throw new Error('nothing was said')
      const contents = [first.saidRef, first.answerRef ?? ''].map(
        (ref) => fake.documents.get(ref)?.content ?? '',
      )
      const turns = []
      for (let at = 0; at < maxTurns; at += 1) {
        const turnId = `chat-0-${at}`
        const [saidRef = '', answerRef = ''] = await Promise.all(
          contents.map(async (content) => {
            const put = await fake.session.putTurn(turnId, content)
            return put.status === 'STORED' ? put.ref : ''
          }),
        )
        turns.push({ ...first, turnId, saidRef, answerRef, status: 'accepted' as const })
      }
      fake.conversation = { session: 1, turns }
      const at = '2026-11-24T09:30'
      keepDraft(state, { turnId: 'chat-1', words: 'what is on tomorrow', at, zone: 'UTC' })
      fake.calls.length = 0
      said.length = 0
      return contents[1]
    }

    it('those that have a yes from here are run before anything is said', async () => {
      rememberOf('chat-0-7', await fill())
      expect(await chat([])).toBe('watched')
      expect(fake.calls).toEqual(['accept', 'request chat-0-7', 'begin'])
      expect(said).not.toContain('run it? [y/N] ')
      forgetYes(state, 'chat-0-7')
      forgetUnseen(state, 'chat-0-7')
      await chat(['no'])
      expect(fake.calls).toContain('say chat-1')
      expect(kept('chat/outbox')).toEqual([])
    })

    it('the oldest is asked about where none has, and the rest is gone on with', async () => {
      await fill()
      expect(await chat(['no', 'no', '/quit'], { isTerminal: true })).toBe(0)
      expect(said).toContain('the conversation does not take it up: UNFINISHED')
      expect(said.filter((line) => line.startsWith('going on'))).toEqual([
        'going on with chat-0-0',
        `going on with chat-0-${maxTurns - 1}`,
      ])
      expect(kept('chat/outbox')).toEqual(['chat-1'])
      expect(await chat(['yes'])).toBe('watched')
      expect(fake.calls.slice(-2)).toEqual(['request chat-0-0', 'begin'])
    })
  })

  it('a plan is asked about again where nobody has answered', async () => {
    expect(await chat(['check my backups'])).toBe(2)
    expect(statuses()).toEqual(['planned'])
    expect(await chat(['yes'])).toBe('watched')
    expect(statuses()).toEqual(['begun'])
  })

  it('a yes counts, and is not asked for again', async () => {
    await chat(['check my backups'])
    const turnId = fake.conversation.turns[0]?.turnId ?? ''
    const contents = [...fake.documents.values()].map(({ content }) => content)
    rememberOf(
      turnId,
      contents.find((content) => content.startsWith('{"is":"plan"')),
    )
    said.length = 0
    expect(await chat([])).toBe('watched')
    expect(said).not.toContain('run it? [y/N] ')
    expect(statuses()).toEqual(['begun'])
  })

  it('what Temporal calls accepted is asked about where no yes was said here', async () => {
    await chat(['check my backups'])
    const [turn] = fake.conversation.turns
    await fake.session.assistant.accept({ turnId: turn?.turnId ?? '' })
    forgetYes(state, turn?.turnId ?? '')
    expect(await chat(['no'])).toBe(1)
    expect(said).toContain('run it? [y/N] ')
    expect(fake.calls).not.toContain('begin')
  })

  it('what Temporal calls accepted, and is not the last, is left alone without a yes from here', async () => {
    await chat(['check my backups'])
    await fake.session.assistant.accept({ turnId: fake.conversation.turns[0]?.turnId ?? '' })
    await chat(['what is on tomorrow', 'no'])
    expect(statuses()).toEqual(['accepted', 'dropped'])
    said.length = 0
    expect(await chat(['yes'])).not.toBe('watched')
    expect(said.join()).not.toContain('going on with')
  })

  it('a yes to another plan than the one that is there is none', async () => {
    await chat(['check my backups'])
    const turnId = fake.conversation.turns[0]?.turnId ?? ''
    rememberOf(turnId, JSON.stringify({ is: 'plan', request: { source: 'another' } }))
    expect(await chat([])).toBe(2)
    expect(fake.calls).not.toContain('accept')
  })

  it('with --new nothing is gone on with that nobody said yes to', async () => {
    await chat(['check my backups'])
    expect(await chat([], { anew: true })).toBe(0)
    expect(statuses()).toEqual(['planned'])
  })

  it('what was denied for good is not tried again', async () => {
    fake.registers = { status: 'REFUSED', code: 'POLICY', message: 'no' }
    await chat(['check my backups', 'yes'], { isTerminal: true })
    expect(fake.calls).toContain('accept')
    expect(kept('said-yes')).toEqual([])
    expect(kept('chat/unseen')).toEqual([])
  })
})

it('shows what was said and what it was taken for', async () => {
  await chat(['what is on 2030-05-01', 'no', 'and the day after?', 'no'])
  said.length = 0
  await chatShowCommand(fake.session, output)
  expect(said).toEqual([
    expect.stringContaining('dropped  "what is on 2030-05-01"'),
    expect.stringContaining('dropped  "and the day after?" (what is on 2030-05-02)'),
  ])
})
