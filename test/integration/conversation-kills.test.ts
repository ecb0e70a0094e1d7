// Every process that a conversation needs is killed once, each at another point of a turn's way.
// test/full/conversation-kills.test.ts kills each at each.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KillCell, startConversation } from '../support/conversation-kills.ts'

const cells: readonly KillCell[] = [
  { victim: 'driver', point: 'after-yes' },
  { victim: 'temporal', point: 'after-say' },
  { victim: 'worker', point: 'after-accept' },
  { victim: 'notary', point: 'after-request' },
  { victim: 'bus', point: 'after-answer' },
  { victim: 'worker', point: 'after-begin' },
]

let conversation: Awaited<ReturnType<typeof startConversation>>
beforeAll(async () => {
  conversation = await startConversation()
}, 240_000)
afterAll(() => conversation?.stop())

describe('a conversation of which a process is killed', () => {
  it.each(cells)('goes on by itself: $victim, $point', { timeout: 300_000 }, (cell) =>
    conversation.perform(cell),
  )

  it('leaves no word of it in any history, and no yes behind', async () => {
    const { text } = await conversation.histories()
    expect(text).toContain('after-yes.driver')
    expect(text).not.toContain('said after-yes.driver once')
    expect(text).not.toContain('Keep what was said')
    expect(conversation.yesses()).toEqual([])
  })

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await conversation.deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(cells.length + 1)
  })
})
