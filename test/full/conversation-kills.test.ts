// Every process that a conversation needs, killed at every point of a turn's way.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killPoints, killVictims, startConversation } from '../support/conversation-kills.ts'

const cells = killPoints.flatMap((point) => killVictims.map((victim) => ({ point, victim })))

let conversation: Awaited<ReturnType<typeof startConversation>>
beforeAll(async () => {
  conversation = await startConversation()
})
afterAll(() => conversation?.stop())

describe('a conversation of which any process is killed', () => {
  it.each(cells)('goes on by itself: $victim, $point', (cell) => conversation.perform(cell))

  it('leaves an audit that ledgers, history and witnesses agree with', async () => {
    const verified = await conversation.deployment.verifyAudit()
    expect(verified).toMatchObject({ ok: true, mismatches: [], gaps: [], unreached: [] })
    expect(verified.reconciled.runs).toBe(cells.length + 1)
  })
})
