// What `bulkhead chat` has a model told with the words of a turn: what was typed here before it, in the same
// session, and what the notary says has come of it.

import { describe, expect, it } from 'vitest'
import { forgetUnseen } from '../../cli/chat/outbox.ts'
import { chatForTests } from '../support/chatting.ts'

const { own, chat, statuses } = chatForTests()
const models = ['local/model']
const strange = 'colourless green ideas'
const settled = {
  agent: 'calendar',
  action: 'find',
  effect: 'read',
  outcome: 'settled',
  attempts: 1,
}

const contexts = () => own.fake.registered.map(({ context }) => context)

/** A turn that was begun and whose answer was seen: one result, and three that are none to build on. */
async function begun(words: string): Promise<string> {
  expect(await chat([words, 'yes'])).toBe('watched')
  const { turnId } = own.fake.conversation.turns.at(-1) ?? { turnId: '' }
  own.fake.settled.set(turnId, [
    { ...settled, id: 'found' },
    { ...settled, id: 'lost', outcome: 'failed' },
    { ...settled, id: 'told', code: 'HAPPENED' },
    { ...settled, id: 'many', loop: { total: 1, outcomes: { settled: 1 } } },
  ])
  forgetUnseen(own.state, turnId)
  return turnId
}

describe('what a model is told with a turn', () => {
  it('is what was typed before it, and the results that there are, by handle', async () => {
    const first = await begun('check my backups')
    await chat(['pay the rent'])
    expect(await chat([strange], { models })).toBe('watched')
    const before = { words: 'check my backups', request: first, handles: [`${first}/found/0`] }
    expect(contexts()).toEqual([
      undefined,
      { turns: [before, { words: 'pay the rent', handles: [] }] },
    ])
  })

  it('is of the same session, without secrets, and no word that the store makes up', async () => {
    await begun('check my backups')
    await chat(['/new', `note that my key is sk-${'a1B2'.repeat(12)}`])
    const { documents } = own.fake
    const kept = documents.get.bind(documents)
    documents.get = (ref) => {
      const found = kept(ref)
      return found && { ...found, content: found.content.replaceAll('rent', 'what I have read') }
    }
    await chat(['pay the rent'])
    expect(await chat([strange], { models })).toBe('watched')
    expect(contexts().at(-1)).toEqual({ turns: [{ words: 'pay the rent', handles: [] }] })
  })

  it('is nothing of a turn that was not typed here', async () => {
    await begun('check my backups')
    await own.fake.session.assistant.say({ turnId: 'chat-of-another', saidRef: 'none' })
    expect(await chat([strange], { models })).toBe('watched')
    expect(
      contexts()
        .at(-1)
        ?.turns.map(({ words }) => words),
    ).toEqual(['check my backups'])
  })

  it('is the same once more, where the command was killed before its run was begun', async () => {
    await begun('check my backups')
    own.fake.registers = { status: 'REFUSED', code: 'AUDIT_UNAVAILABLE', message: 'no' }
    await expect(chat([strange], { models })).rejects.toThrow('AUDIT_UNAVAILABLE')
    own.fake.settled.clear()
    own.fake.registers = { status: 'REGISTERED', digest: 'd', user: 'owner' }
    expect(await chat([], { models })).toBe('watched')
    const [, first, again] = contexts()
    expect(first?.turns[0]?.handles).toHaveLength(1)
    expect(again).toEqual(first)
  })
})

it('words that go on with something go to a model that would be told of it, and to no other', async () => {
  await begun('check my backups')
  expect(await chat(['move it to friday'], { models: ['openai/model'] })).toBe(2)
  expect(statuses().at(-1)).toBe('refused')
  expect(await chat(['move it to friday'], { models })).toBe('watched')
  expect(statuses().at(-1)).toBe('begun')
})
