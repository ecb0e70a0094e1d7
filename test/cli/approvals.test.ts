// From an id that was typed to a signature over the bytes that were shown, with a notary in memory: what
// is found, what is refused before anything is signed, and who is woken.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readGrant } from '../../cli/approval-words.ts'
import { userOfAccount } from '../../cli/approver.ts'
import { decide, expandId, openQuestion } from '../../cli/decide-approval.ts'
import { CommandError, exitCodeOfRun } from '../../cli/exit-codes.ts'
import { askAbout, createAsker, openApprovals, toAnswer } from '../../cli/inline-questions.ts'
import type { Output } from '../../cli/output.ts'
import { adviceFor } from '../../cli/run-advice.ts'
import type { Session } from '../../cli/session.ts'
import type { ApprovalSummary, ApproveCall, ApproveReply } from '../../notary/approval-contract.ts'
import { batchDigest } from '../../security/approval/statement.ts'
import { verifyStatement } from '../../security/approval/verify.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk, type PublicJwk } from '../../security/verify/keys.ts'
import { RunClientError } from '../../temporal/client.ts'
import { sampleCard } from '../support/sample-card.ts'

interface Asked {
  readonly summary: ApprovalSummary
  card: string
}

let state: string
let publicJwk: PublicJwk
let asked: Asked[]
let calls: ApproveCall[]
let woken: unknown[]
let session: Session

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-approve-'))
  mkdirSync(join(state, 'cli'))
  const pair = await generateKeyPairJwk()
  publicJwk = pair.publicJwk
  writeFileSync(join(state, 'cli', 'approver.jwk.json'), JSON.stringify(pair.privateJwk))
  asked = []
  calls = []
  woken = []
  const approve = (requestId: string, given: unknown) => {
    woken.push([requestId, given])
    return Promise.resolve()
  }
  // Of a session, deciding needs these alone.
  session = { state, account: 'cli', approve: answer, runs: { approve } } as unknown as Session
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

function question(id: string, more: Partial<ApprovalSummary> = {}): Asked {
  const card = canonicalJson({ ...sampleCard, createdAt: asked.length })
  const summary: ApprovalSummary = {
    ...{ id, digest: sha256(card), state: 'open' as const, user: 'user:owner', requestId: 'r1' },
    ...{ title: 'weekly: mail.send', createdAt: asked.length, expiresAt: 9_000 },
    ...{ decidedAt: null, batch: null },
    ...more,
  }
  const one = { summary, card }
  asked.push(one)
  return one
}

async function answer(call: ApproveCall): Promise<ApproveReply> {
  calls.push(call)
  switch (call.op) {
    case 'list':
      return { status: 'APPROVALS', approvals: asked.map(({ summary }) => summary) }
    case 'show': {
      const one = asked.find(({ summary }) => summary.id === call.id)
      if (one === undefined) return refused('UNKNOWN_APPROVAL')
      return { status: 'SHOWN', approval: one.summary, card: one.card, decision: null }
    }
    case 'decide': {
      const [one] = asked
      return one === undefined
        ? refused('UNKNOWN_APPROVAL')
        : { status: 'DECIDED', approval: one.summary }
    }
    default:
      return refused('NOT_PERMITTED')
  }
}

function refused(code: 'UNKNOWN_APPROVAL' | 'NOT_PERMITTED'): ApproveReply {
  return { status: 'REFUSED', code, message: 'no' }
}

async function signed() {
  const last = calls.findLast(({ op }) => op === 'decide')
  if (last?.op !== 'decide') throw new Error('nothing was decided')
  return { id: last.id, ...(await verifyStatement(last.statement, [publicJwk])).statement }
}

describe('deciding', () => {
  it('signs the digest of the bytes that were shown, and wakes the run', async () => {
    const { card } = question('aaaaa1')
    const { approvals, untold } = await decide(session, await openQuestion(session, 'aaaa'), {
      decision: 'approve',
    })
    expect(await signed()).toMatchObject({
      ...{ id: 'aaaaa1', iss: 'user:owner', aud: sampleCard.deployment, apr: 'aaaaa1' },
      ...{ card_s256: sha256(card), decision: 'approve' },
    })
    expect(woken).toEqual([['r1', { approvals: ['aaaaa1'] }]])
    expect({ approvals, untold }).toEqual({ approvals: ['aaaaa1'], untold: [] })
  })

  it('on a batch signs all that is open in it at once, the oldest first', async () => {
    const batch = 'bbbbb1'
    const first = question('aaaaa1', { batch })
    question('aaaaa2', { batch, state: 'denied' })
    const third = question('aaaaa3', { batch, requestId: 'r2' })
    asked.reverse()
    const opened = await openQuestion(session, batch)
    expect(opened.shown.map(({ approval }) => approval.id)).toEqual(['aaaaa1', 'aaaaa3'])
    await decide(session, opened, { decision: 'deny' })
    expect(await signed()).toMatchObject({
      ...{ id: batch, apr: batch, decision: 'deny' },
      card_s256: batchDigest([sha256(first.card), sha256(third.card)]),
    })
    expect(woken).toEqual([
      ['r1', { approvals: ['aaaaa1'] }],
      ['r2', { approvals: ['aaaaa3'] }],
    ])
  })

  it('on a batch of which one is left is still about the batch', async () => {
    const batch = 'bbbbb1'
    const { card } = question('aaaaa1', { batch })
    await decide(session, await openQuestion(session, batch), { decision: 'deny' })
    expect(await signed()).toMatchObject({ apr: batch, card_s256: batchDigest([sha256(card)]) })
  })

  it('is done when the run cannot be told, and says of which', async () => {
    question('aaaaa1')
    for (const [code, untold] of [
      ['NOT_FOUND', []],
      ['UNREACHABLE', ['r1']],
    ] as const) {
      session.runs.approve = () => Promise.reject(new RunClientError(code, 'no'))
      const decided = await decide(session, await openQuestion(session, 'aaaaa1'), {
        decision: 'approve',
      })
      expect(decided.untold).toEqual(untold)
    }
  })

  it('needs the key, and says how to get it', async () => {
    question('aaaaa1')
    rmSync(join(state, 'cli', 'approver.jwk.json'))
    const opened = await openQuestion(session, 'aaaaa1')
    await expect(decide(session, opened, { decision: 'approve' })).rejects.toMatchObject({
      next: expect.stringContaining('npx bulkhead up'),
    })
    expect(calls.some(({ op }) => op === 'decide')).toBe(false)
  })
})

describe('whoever types a command', () => {
  it('signs as the one whose account of the bus it is', () => {
    expect(userOfAccount('cli')).toBe('user:owner')
    expect(userOfAccount('cli-ada')).toBe('user:ada')
  })
})

describe('a card that was altered on its way', () => {
  it.each([
    ['in what it says', (card: string) => card.replace('bob@', 'eve@')],
    ['in how it is spelled', (card: string) => JSON.stringify(JSON.parse(card), null, 1)],
  ])('%s is not shown', async (_, alter) => {
    const one = question('aaaaa1')
    one.card = alter(one.card)
    await expect(openQuestion(session, 'aaaaa1')).rejects.toMatchObject({ exitCode: 3 })
  })

  it('together with its digest, and is no card any more, is not shown either', async () => {
    const card = canonicalJson({ ...sampleCard, aside: 'not shown' })
    asked.push({ ...question('aaaaa1', { digest: sha256(card) }), card })
    asked.shift()
    await expect(openQuestion(session, 'aaaaa1')).rejects.toMatchObject({ exitCode: 3 })
  })
})

describe('an id', () => {
  it('may be as short as it is clear, and not shorter than a slip of the finger', () => {
    const known = ['akq5x2', 'akq5y3', 'bmmmm1']
    expect(expandId('akq5x', known, 'approval')).toBe('akq5x2')
    expect(expandId('bmmmm1', known, 'approval')).toBe('bmmmm1')
    for (const unclear of ['akq5', 'bmm', '', 'zzzz']) {
      expect(() => expandId(unclear, known, 'approval')).toThrow(CommandError)
    }
  })
})

describe('"always"', () => {
  const now = Date.parse('2027-01-01T00:00:00Z')
  const words = { always: true, per: 'week', count: 5, until: '90d' }

  it('is so often in each period, and until then', () => {
    const exp = now / 1_000
    expect(readGrant(words, now)).toEqual({ per: 'week', count: 5, exp: exp + 90 * 86_400 })
    expect(readGrant({ ...words, until: '2027-02-01' }, now)?.exp).toBe(exp + 31 * 86_400)
    expect(readGrant({}, now)).toBeUndefined()
  })

  it.each([
    { always: true },
    { ...words, always: false },
    { always: true, per: 'week', count: 5 },
    { ...words, per: 'hour' },
    { ...words, count: 0 },
    { ...words, until: 'ever' },
  ])('is nothing less: %j', (given) => {
    expect(() => readGrant(given, now)).toThrow(CommandError)
  })
})

describe('a command that waits', () => {
  const said: string[] = []
  const output: Output = {
    json: false,
    data: () => undefined,
    rows: () => undefined,
    line: () => undefined,
    talk: (line) => void said.push(line),
    problem: (message) => void said.push(message),
  }

  it.each([
    ['y', 'approve'],
    ['Yes ', 'approve'],
    ['', 'deny'],
    ['n', 'deny'],
    ['l', 'later'],
    ['yse', 'later'],
    [undefined, 'later'],
  ] as const)('takes %j for %s', async (typed, expected) => {
    expect(toAnswer(typed)).toBe(expected)
    question('aaaaa1')
    const told = await askAbout(session, output, 'aaaaa1', async () => typed)
    expect(told).toEqual({ answer: expected, approvals: ['aaaaa1'] })
    expect(calls.some(({ op }) => op === 'decide')).toBe(expected !== 'later')
    expect(said.join('\n')).toContain('to/0: "bob@example.org"')
  })

  it('says what to type where nobody sits at a terminal', async () => {
    question('aaaaa1')
    said.length = 0
    expect((await askAbout(session, output, 'aaaaa1', undefined)).answer).toBe('later')
    expect(said.at(-1)).toContain('npx bulkhead approve aaaaa1')
  })

  it('does not ask about what is decided', async () => {
    question('aaaaa1', { state: 'approved' })
    const never = () => Promise.reject(new Error('asked'))
    expect((await askAbout(session, output, 'aaaaa1', never)).answer).toBe('later')
  })

  it('tells of each question once, and of a batch as one', async () => {
    for (const id of ['aaaaa1', 'aaaaa2']) question(id, { batch: 'bbbbb1' })
    said.length = 0
    const askPerson = createAsker(session, output)
    const approvals = ['aaaaa1', 'aaaaa2'].map((id) => ({ id, expiresAt: 1 }))
    for (let look = 0; look < 2; look += 1) {
      await askPerson({ status: 'waiting-approval', steps: [], approvals })
    }
    expect(said.filter((line) => line.includes('npx bulkhead approve'))).toEqual([
      '  next: npx bulkhead approve bbbbb1   or   npx bulkhead deny bbbbb1',
    ])
  })

  it('finds what a run waits for, in its plan and its steps', () => {
    const open = (id: string) => [{ id, expiresAt: 1 }]
    const steps = [{ approvals: open('a1') }, {}, { approvals: open('a2') }]
    expect(openApprovals({ approvals: open('a0'), steps }).map(({ id }) => id)).toEqual([
      'a0',
      'a1',
      'a2',
    ])
    const advice = adviceFor({
      ...{ requestId: 'r1', status: 'waiting-approval', approvals: open('a0') },
      steps: [{ id: 'send', outcome: 'waiting', approvals: open('a1') }],
    })
    expect(advice.map(({ about }) => about.split(' waits')[0])).toEqual(['the plan', 'send'])
    expect(advice[1]?.next).toContain('npx bulkhead approve a1')
  })

  it('ends with the code for an approval that is needed, or came too late', () => {
    expect(exitCodeOfRun('waiting-approval', ['waiting'])).toBe(4)
    expect(exitCodeOfRun('denied', ['denied'], 'APPROVAL_EXPIRED')).toBe(4)
    expect(exitCodeOfRun('denied', ['denied'], 'APPROVAL_DENIED')).toBe(3)
    expect(exitCodeOfRun('denied', ['unknown'], 'APPROVAL_EXPIRED')).toBe(5)
  })
})
