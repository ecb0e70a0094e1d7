// `bulkhead chat` with an assistant in memory, at the next start: what is gone on with, and what is asked about.

import { describe, expect, it } from 'vitest'
import { forgetUnseen, keepDraft } from '../../cli/chat/outbox.ts'
import { forgetYes } from '../../cli/said-yes.ts'
import { maxTurns } from '../../workflows/conversation.ts'
import { chatForTests, line } from '../support/chatting.ts'

const { own, chat, rememberOf, statuses, kept } = chatForTests()

describe('at the next start', () => {
  it('what was typed is said first, once, in its order', async () => {
    const at = '2026-11-24T09:30'
    keepDraft(own.state, { turnId: 'chat-2', words: 'and the day after?', at, zone: 'UTC' })
    keepDraft(own.state, { turnId: 'chat-1', words: 'what is on tomorrow', at, zone: 'UTC' })
    expect(await chat(['no'])).toBe(1)
    expect(own.fake.calls.slice(0, 3)).toEqual(['say chat-1', 'answer planned', 'say chat-2'])
    expect(statuses()).toEqual(['dropped', 'dropped'])
    expect(kept('chat/outbox')).toEqual([])
    own.fake.calls.length = 0
    await chat([])
    expect(own.fake.calls).toEqual([])
  })

  it('what was typed has a line each with --json, whatever it was taken for', async () => {
    const at = '2026-11-24T09:30'
    keepDraft(own.state, { turnId: 'chat-1', words: 'pay the rent', at, zone: 'UTC' })
    keepDraft(own.state, { turnId: 'chat-2', words: 'what is on tomorrow', at, zone: 'UTC' })
    keepDraft(own.state, { turnId: 'chat-3', words: 'check my backups', at, zone: 'UTC' })
    await chat(['no'], { json: true })
    expect(own.lined).toEqual([
      line({ turnId: 'chat-1', status: 'refused' }),
      line({ turnId: 'chat-2', status: 'dropped' }),
      line({ turnId: 'chat-3', status: 'dropped' }),
    ])
  })

  describe('with as many turns as are kept, each waiting for its run', () => {
    /** Nothing else is kept, and nothing new taken up. */
    async function fill() {
      await chat(['check my backups'])
      const [first] = own.fake.conversation.turns
      if (first === undefined) throw new Error('nothing was said')
      const contents = [first.saidRef, first.answerRef ?? ''].map(
        (ref) => own.fake.documents.get(ref)?.content ?? '',
      )
      const turns = []
      for (let at = 0; at < maxTurns; at += 1) {
        const turnId = `chat-0-${at}`
        const [saidRef = '', answerRef = ''] = await Promise.all(
          contents.map(async (content) => {
            const put = await own.fake.session.putTurn(turnId, content)
            return put.status === 'STORED' ? put.ref : ''
          }),
        )
        turns.push({ ...first, turnId, saidRef, answerRef, status: 'accepted' as const })
      }
      own.fake.conversation = { session: 1, turns }
      const at = '2026-11-24T09:30'
      keepDraft(own.state, { turnId: 'chat-1', words: 'what is on tomorrow', at, zone: 'UTC' })
      own.fake.calls.length = 0
      own.said.length = 0
      return contents[1]
    }

    it('those that have a yes from here are run before anything is said', async () => {
      rememberOf('chat-0-7', await fill())
      expect(await chat([])).toBe('watched')
      expect(own.fake.calls).toEqual(['accept', 'request chat-0-7', 'begin'])
      expect(own.said).not.toContain('run it? [y/N] ')
      forgetYes(own.state, 'chat-0-7')
      forgetUnseen(own.state, 'chat-0-7')
      await chat(['no'])
      expect(own.fake.calls).toContain('say chat-1')
      expect(kept('chat/outbox')).toEqual([])
    })

    it('the oldest is asked about where none has, and the rest is gone on with', async () => {
      await fill()
      expect(await chat(['no', 'no', '/quit'], { isTerminal: true })).toBe(0)
      expect(own.said).toContain('the conversation does not take it up: UNFINISHED')
      expect(own.said.filter((line) => line.startsWith('going on'))).toEqual([
        'going on with chat-0-0',
        `going on with chat-0-${maxTurns - 1}`,
      ])
      expect(kept('chat/outbox')).toEqual(['chat-1'])
      expect(await chat(['yes'])).toBe('watched')
      expect(own.fake.calls.slice(-2)).toEqual(['request chat-0-0', 'begin'])
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
    const turnId = own.fake.conversation.turns[0]?.turnId ?? ''
    const contents = [...own.fake.documents.values()].map(({ content }) => content)
    rememberOf(
      turnId,
      contents.find((content) => content.startsWith('{"is":"plan"')),
    )
    own.said.length = 0
    expect(await chat([])).toBe('watched')
    expect(own.said).not.toContain('run it? [y/N] ')
    expect(statuses()).toEqual(['begun'])
  })

  it('what Temporal calls accepted is asked about where no yes was said here', async () => {
    await chat(['check my backups'])
    const [turn] = own.fake.conversation.turns
    await own.fake.session.assistant.accept({ turnId: turn?.turnId ?? '' })
    forgetYes(own.state, turn?.turnId ?? '')
    expect(await chat(['no'])).toBe(1)
    expect(own.said).toContain('run it? [y/N] ')
    expect(own.fake.calls).not.toContain('begin')
  })

  it('what Temporal calls accepted, and is not the last, is left alone without a yes from here', async () => {
    await chat(['check my backups'])
    await own.fake.session.assistant.accept({
      turnId: own.fake.conversation.turns[0]?.turnId ?? '',
    })
    await chat(['what is on tomorrow', 'no'])
    expect(statuses()).toEqual(['accepted', 'dropped'])
    own.said.length = 0
    expect(await chat(['yes'])).not.toBe('watched')
    expect(own.said.join()).not.toContain('going on with')
  })

  it('a yes to another plan than the one that is there is none', async () => {
    await chat(['check my backups'])
    const turnId = own.fake.conversation.turns[0]?.turnId ?? ''
    rememberOf(turnId, JSON.stringify({ is: 'plan', request: { source: 'another' } }))
    expect(await chat([])).toBe(2)
    expect(own.fake.calls).not.toContain('accept')
  })

  it('with --new nothing is gone on with that nobody said yes to', async () => {
    await chat(['check my backups'])
    expect(await chat([], { anew: true })).toBe(0)
    expect(statuses()).toEqual(['planned'])
  })

  it('what was denied for good is not tried again', async () => {
    own.fake.registers = { status: 'REFUSED', code: 'POLICY', message: 'no' }
    await chat(['check my backups', 'yes'], { isTerminal: true })
    expect(own.fake.calls).toContain('accept')
    expect(kept('said-yes')).toEqual([])
    expect(kept('chat/unseen')).toEqual([])
  })
})
