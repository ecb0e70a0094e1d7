// A case for each refusal that the notary gives on the way of an effect after it was first authorised:
// its further tokens, its undo and probe, its receipts, and a person's decisions on it.

import { idemOf } from '../../notary/locate.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import {
  type Authorised,
  execute,
  type Happened,
  type Harness,
  type Run,
} from '../notary/harness.ts'
import {
  append,
  briefing,
  holding,
  items,
  list,
  ringing,
  softly,
  twoWrites,
} from '../notary/plans.ts'
import { answered, type NotaryCase, type Reply } from './notary-case.ts'
import { lastWordCases } from './notary-last-word-cases.ts'

const undo = { kind: 'undo' } as const
const probe = { kind: 'probe' } as const
const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
const unknown = { status: 'UNKNOWN' } as const
const wrote = { status: 'DONE', value: { entry: 'e' } } as const
const read = { status: 'DONE', value: items(['one']) } as const
const other = 'A'.repeat(43)
const noon = { at: 'noon', dryRun: false }
const retract = (entry: string) => ({ note: 'daily', entry, dryRun: false })

const cancel = (home: Harness) => home.notary.cancel('cli', { requestId: 'r-1' })
const recover = (home: Harness, payload: object) =>
  home.notary.recover('cli', { requestId: 'r-1', ...payload })
const retry = (home: Harness, step: string) => recover(home, { decision: 'retry', step })
const answer = (home: Harness, decision: string, step = 'first') =>
  recover(home, { decision, step, kind: 'do' })
const shutOut = (home: Harness, op: 'set' | 'lift' = 'set') =>
  home.notary.quarantine('supervisor', {
    ...{ op, agent: 'desk', n: 0, by: 'user:owner', reason: 'test' },
  })
const waitForTokens = (home: Harness) => {
  home.clock.time += 32_001
}
/** The held run, in which the first step may be tried twice. */
const twice = holding.replace('attempts: 1', 'attempts: 2')
/** The second goes on when the first has failed. */
const forgiving = twoWrites.replace('    attempts: 2\n', '    onError: continue\n')

async function written(home: Harness): Promise<{ readonly run: Run; readonly idem: string }> {
  const run = await home.run(twoWrites)
  const token = await run.token('first', append('a'))
  await run.settle('first', await execute(token, wrote, home.keys.receipt))
  return { run, idem: token.idem }
}

/** Two tokens of the step are out; one was answered, and then the undo is asked for. */
async function undoAfter(home: Harness, happened?: Happened): Promise<Reply> {
  const run = await home.run(twoWrites)
  const { idem } = await run.token('first', append('a'))
  if (happened !== undefined) await run.break('first', append('a'), happened)
  await cancel(home)
  return run.authorize('first', retract(idem), undo)
}

async function rung(home: Harness): Promise<{ readonly run: Run; readonly token: Authorised }> {
  await home.boot({ agent: 'bell' })
  const run = await home.run(ringing)
  return { run, token: await run.token('ring', noon) }
}

/** Asks the bell whether it rang, after `happened` was reported. */
async function asked(home: Harness, happened?: Happened) {
  const { run, token } = await rung(home)
  if (happened !== undefined) {
    await run.settle('ring', await execute(token, happened, home.keys.receipt))
  }
  const question = { entry: token.idem, at: 'noon' }
  return { run, reply: await run.authorize('ring', question, probe) }
}

const authorising: readonly NotaryCase[] = [
  answered('RUN_ABORTING', 'a step after another has failed', async (home) => {
    const run = await home.run(twoWrites)
    await run.break('second', append('b'), failed)
    return run.authorize('third', append('c'))
  }),
  answered('RUN_ABORTING', 'a step after another was denied for good', async (home) => {
    const run = await home.run(twoWrites)
    await shutOut(home)
    await run.authorize('read', list)
    await shutOut(home, 'lift')
    return run.authorize('first', append('a'))
  }),
  answered('RUN_ABORTING', 'a step after an unknown outcome that it forgives', async (home) => {
    const run = await home.run(softly)
    await run.break('gather', list, unknown)
    return run.authorize('write', append('none'))
  }),
  answered('RUN_ABORTING', 'a step after a person gave the run up', async (home) => {
    const run = await home.run(holding)
    await run.break('first', append('a'), failed)
    await recover(home, { decision: 'give-up' })
    return run.authorize('read', list)
  }),
  answered('RUN_ABORTING', 'a retry in a run that turns around', async (home) => {
    const run = await home.run(twoWrites)
    await run.break('second', append('b'), failed)
    return retry(home, 'second')
  }),
  answered('NOT_ABORTING', 'an undo while the run goes on', async (home) => {
    const { run, idem } = await written(home)
    return run.authorize('first', retract(idem), undo)
  }),
  answered('NEVER_AUTHORISED', 'an undo of what never had a token', async (home) => {
    const run = await home.run(twoWrites)
    await run.fail('first')
    const address = { request: 'r-1', kind: 'do', step: 'first', iteration: 0, rerun: 0 } as const
    return run.authorize('first', retract(idemOf(run.digest, address)), undo)
  }),
  answered('NEVER_AUTHORISED', 'a probe of what never had a token', async (home) => {
    await home.boot({ agent: 'bell' })
    const run = await home.run(ringing)
    return run.authorize('ring', { entry: other, at: 'noon' }, probe)
  }),
  answered('NEVER_AUTHORISED', 'following what never had a token', async (home) => {
    const run = await home.run(twoWrites)
    return run.authorize('first', {}, { op: 'attach' })
  }),
  answered('NEVER_AUTHORISED', 'a receipt of what never had a token', async (home) => {
    const run = await home.run(twoWrites)
    const token = await run.token('read', list)
    return run.settle('first', await execute(token, read, home.keys.receipt))
  }),
  answered('ATTEMPTS_USED_UP', 'a third attempt of two', async (home) => {
    const run = await home.run(twoWrites)
    await run.token('first', append('a'))
    await run.token('first', append('a'))
    return run.authorize('first', append('a'))
  }),
  answered('ATTEMPTS_USED_UP', 'following without end', async (home) => {
    const run = await home.run(twoWrites)
    await run.token('first', append('a'))
    const follow = () => run.authorize('first', {}, { op: 'attach' })
    for (let time = 0; time < 400; time += 1) await follow()
    return follow()
  }),
  answered('NOT_DECIDED', 'a rerun that nobody decided', async (home) => {
    const run = await home.run(holding)
    await run.break('first', append('a'), failed)
    return run.authorize('first', append('a'), { rerun: 1 })
  }),
  answered('NOT_CANCELLED', 'stopping a step of a run that nobody cancelled', async (home) => {
    const run = await home.run(twoWrites)
    await run.token('first', append('a'))
    return run.authorize('first', {}, { op: 'cancel' })
  }),
  answered('NOT_CANCELLED', 'stopping an undo', async (home) => {
    const run = await home.run(twoWrites)
    const { idem } = await run.token('first', append('a'))
    await cancel(home)
    waitForTokens(home)
    await run.token('first', retract(idem), undo)
    return run.authorize('first', {}, { ...undo, op: 'cancel' })
  }),
  answered('QUARANTINED', 'a token for a replica that is shut out', async (home) => {
    const run = await home.run(twoWrites)
    await shutOut(home)
    return run.authorize('read', list)
  }),
  answered('QUARANTINED', 'a start of a replica that is shut out', async (home) => {
    await shutOut(home)
    const receiptKey = toPublicJwk(home.keys.receipt)
    const start = { agent: 'desk', n: 0, bootEpoch: 'epoch-0002', running: true, nkey: 'UNEXT' }
    return home.notary.boot('supervisor', { ...start, receiptKey })
  }),
  answered('QUARANTINED', 'a token for a replica whose key vouched for a forgery', async (home) => {
    const run = await home.run(twoWrites)
    const token = await run.token('read', list)
    const forgery = { receipt: { argsHash: other } }
    await run.settle('read', await execute(token, read, home.keys.receipt, forgery))
    return run.authorize('first', append('a'))
  }),
]

type Change = NonNullable<Parameters<typeof execute>[3]>
const changed = (name: string, change: Change): NotaryCase =>
  answered('RECEIPT_INVALID', name, async (home) => {
    const run = await home.run(briefing, { inputs: { note: 'daily' } })
    const token = await run.token('gather', list)
    return run.settle('gather', await execute(token, read, home.keys.receipt, change))
  })

/** Receipt or envelope signed with a key that is not the replica's. */
const signedByOther = (name: string, part: 'receipt' | 'envelope'): NotaryCase =>
  answered('RECEIPT_INVALID', name, async (home) => {
    const run = await home.run(briefing, { inputs: { note: 'daily' } })
    const token = await run.token('gather', list)
    const { privateJwk } = await generateKeyPairJwk()
    const { receipt } = home.keys
    const keys = part === 'receipt' ? [privateJwk, receipt] : [receipt, privateJwk]
    const [inner = receipt, outer = receipt] = keys
    const { receipt: kept } = await execute(token, read, inner)
    return run.settle('gather', await execute(token, read, outer, { kept }))
  })

const settling: readonly NotaryCase[] = [
  changed('a receipt of another effect', { receipt: { idem: other } }),
  changed('a receipt of other arguments', { receipt: { argsHash: other } }),
  changed('a receipt of another replica', { receipt: { agent: 'desk.1' } }),
  changed('a receipt with another salt', { receipt: { salt: 'A'.repeat(22) } }),
  changed('an envelope of another effect', { envelope: { idem: other } }),
  changed('an envelope of another receipt', { envelope: { receiptHash: other } }),
  changed('an envelope of another epoch', { envelope: { bootEpoch: 'epoch-9999' } }),
  signedByOther('a receipt that another key signed', 'receipt'),
  signedByOther('an envelope that another key signed', 'envelope'),
  answered('RECEIPT_INVALID', 'an envelope over the token of another effect', async (home) => {
    const run = await home.run(twoWrites)
    const token = await run.token('read', list)
    const { jti } = await run.token('first', append('a'))
    const change = { envelope: { jti } }
    return run.settle('read', await execute(token, read, home.keys.receipt, change))
  }),
  answered('RECEIPT_INVALID', 'an envelope that an ended epoch signed', async (home) => {
    const run = await home.run(twoWrites)
    const { privateJwk } = await generateKeyPairJwk()
    await home.boot({ bootEpoch: 'epoch-0002', receiptKey: toPublicJwk(privateJwk) })
    const token = await run.token('read', list)
    const { receipt: kept } = await execute(token, read, privateJwk)
    return run.settle('read', await execute(token, read, home.keys.receipt, { kept }))
  }),
  answered(
    'RECEIPT_INVALID',
    'a probe with a result that its receipt does not hash',
    async (home) => {
      const { run, reply } = await asked(home, unknown)
      if (reply.status !== 'AUTHORISED') return reply
      const said = { status: 'DONE', value: { happened: 'no' } } as const
      const documents = await execute(reply, said, home.keys.receipt)
      return run.settle('ring', documents, { ...probe, result: '{"happened":"yes"}' })
    },
  ),
  answered('RECEIPT_INVALID', 'a result that its receipt does not hash', async (home) => {
    const run = await home.run(briefing, { inputs: { note: 'daily' } })
    const token = await run.token('gather', list)
    const documents = await execute(token, read, home.keys.receipt)
    return run.settle('gather', documents, { result: '{"costMicroUsd":0}' })
  }),
  answered('RECEIPT_CONFLICT', 'a second receipt that says something else', async (home) => {
    const run = await home.run(twoWrites)
    const token = await run.token('read', list)
    await run.settle('read', await execute(token, read, home.keys.receipt))
    return run.settle('read', await execute(token, failed, home.keys.receipt))
  }),
  answered('TOKENS_ALIVE', 'an undo while the step is open', (home) => undoAfter(home)),
  answered('TOKENS_ALIVE', 'an undo of an unknown outcome', (home) => undoAfter(home, unknown)),
  answered('TOKENS_ALIVE', 'a probe while the step can happen', async (home) => {
    const { reply } = await asked(home)
    return reply
  }),
  answered('TOKENS_ALIVE', 'a failure while a token is alive', async (home) => {
    const run = await home.run(holding)
    await run.token('first', append('a'))
    return run.fail('first')
  }),
  answered('TOKENS_ALIVE', 'a failure while attempts are left', async (home) => {
    const run = await home.run(twoWrites)
    await run.token('first', append('a'))
    waitForTokens(home)
    return run.fail('first')
  }),
  answered('TOKENS_ALIVE', 'a retry while the old effect can happen', async (home) => {
    const run = await home.run(twice)
    await run.token('first', append('a'))
    await run.break('first', append('a'), failed)
    return retry(home, 'first')
  }),
  answered('TOKENS_ALIVE', 'an answer while the effect can happen', async (home) => {
    const run = await home.run(twice)
    await run.token('first', append('a'))
    await run.break('first', append('a'), unknown)
    return answer(home, 'did-not')
  }),
]

const deciding: readonly NotaryCase[] = [
  answered('NOT_HELD', 'a retry of what has not begun', async (home) => {
    await home.run(holding)
    return retry(home, 'first')
  }),
  answered('NOT_HELD', 'a retry of what did not fail', async (home) => {
    const run = await home.run(holding)
    await run.perform('read', list, items(['x']))
    return retry(home, 'read')
  }),
  answered('NOT_HELD', 'giving up where nothing has failed', async (home) => {
    await home.run(holding)
    return recover(home, { decision: 'give-up' })
  }),
  answered('NOT_HELD', 'giving up where a failure was forgiven', async (home) => {
    const run = await home.run(forgiving)
    await run.break('first', append('a'), failed)
    return recover(home, { decision: 'give-up' })
  }),
  answered('NOT_UNKNOWN', 'a probe of a recorded outcome', async (home) => {
    const rang = { status: 'DONE', value: { rung: true } } as const
    const { reply } = await asked(home, rang)
    return reply
  }),
  answered('NOT_UNKNOWN', 'an answer on a known outcome', async (home) => {
    const run = await home.run(holding)
    await run.break('first', append('a'), failed)
    return answer(home, 'happened')
  }),
  answered('UNRESOLVED', 'a token while the probe is out', async (home) => {
    const { run } = await asked(home, unknown)
    return run.authorize('ring', noon)
  }),
  answered('UNRESOLVED', 'a retry of an unknown outcome', async (home) => {
    const run = await home.run(holding)
    await run.break('first', append('a'), unknown)
    return retry(home, 'first')
  }),
]

export const decisionCases: readonly NotaryCase[] = [
  ...[...authorising, ...settling, ...lastWordCases, ...deciding],
]
