// The gateway's record when the notary cannot or will not keep up: who is held back, and who is not.

import { describe, expect, it } from 'vitest'
import type { GatewayAgent } from '../../egress/contract.ts'
import {
  createJournal,
  type EgressEvent,
  type Outcome,
  type Recording,
} from '../../egress/journal.ts'

const agentOf = (agent: string): GatewayAgent => ({
  ...{ agent, n: 0, socket: '', epochFile: '', nkeyFile: '', egress: [], actions: {} },
})
const feeds = agentOf('feeds')
const weather = agentOf('weather')
const ok: Outcome = { code: 'OK', figures: { status: 200, bytes: 1 } }
const refused: Outcome = { code: 'PATH_REFUSED', figures: { status: 0, bytes: 0 } }

/** A notary that answers by agent, and what it wrote. */
function createDesk(answers: Readonly<Record<string, Recording>>) {
  const rows: EgressEvent[] = []
  const desk = { answers: { ...answers }, rows, asked: 0, pauses: 0, now: 0 }
  const journal = createJournal({
    now: () => desk.now,
    record: async (event) => {
      desk.asked += 1
      const answer = desk.answers[event.subject.replace(/^egress:(.*)\.0$/, '$1')] ?? 'RECORDED'
      if (answer === 'RECORDED') rows.push(event)
      return answer
    },
    pause: async () => {
      desk.pauses += 1
    },
  })
  return { desk, journal }
}

describe.each<Recording>(['FAILED', 'COUNTED'])('an event that is %s', (answer) => {
  it('holds back its own agent, and no other', async () => {
    const { desk, journal } = createDesk({ feeds: answer })
    await journal.note(feeds, {}, ok)
    await expect(journal.settle(feeds)).rejects.toMatchObject({ code: 'NOT_AUDITED' })
    await expect(journal.announce(feeds, {}, ok)).rejects.toMatchObject({ code: 'NOT_AUDITED' })
    await journal.settle(weather)
    await journal.note(weather, {}, ok)
    expect(desk.rows.map(({ subject }) => subject)).toEqual(['egress:weather.0'])
  })

  it('is written before anything else once it can be, and once', async () => {
    const { desk, journal } = createDesk({ feeds: answer })
    await journal.note(feeds, { about: { egress: 'first' } }, ok)
    desk.answers['feeds'] = 'RECORDED'
    await Promise.all([journal.settle(feeds), journal.settle(feeds)])
    await journal.note(feeds, { about: { egress: 'second' } }, ok)
    expect(desk.rows.map(({ summary }) => summary['egress'])).toEqual(['first', 'second'])
  })
})

describe('an honest burst', () => {
  it('waits for the next second instead of failing', async () => {
    const { desk, journal } = createDesk({ feeds: 'COUNTED' })
    await journal.note(feeds, {}, ok)
    const settled = journal.settle(feeds)
    desk.answers['feeds'] = 'RECORDED'
    await settled
    expect(desk.pauses).toBe(1)
    expect(desk.rows).toHaveLength(1)
  })
})

describe('refusals', () => {
  it('while a row is owed are counted in the next one, and are no list without end', async () => {
    const { desk, journal } = createDesk({ feeds: 'FAILED' })
    await journal.note(feeds, {}, ok)
    for (let n = 0; n < 50; n += 1) {
      desk.now += 1_000
      await journal.note(feeds, {}, refused)
    }
    expect(desk.asked).toBe(1)
    desk.answers['feeds'] = 'RECORDED'
    await journal.settle(feeds)
    await journal.note(feeds, {}, refused)
    expect(desk.rows.map(({ summary }) => summary['skipped'])).toEqual([undefined, 50])
  })
})
