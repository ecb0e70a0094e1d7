// A case for each reason for which a failure before the effect is not yet the end of its step: another
// token may have begun the effect since it was signed.

import { execute, type Harness } from '../notary/harness.ts'
import { append, holding, ringing } from '../notary/plans.ts'
import { answered, type NotaryCase, type Reply } from './notary-case.ts'

const absent = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const
const unknown = { status: 'UNKNOWN' } as const
const noon = { at: 'noon', dryRun: false }
/** The held run, in which the first step may be tried twice. */
const twice = holding.replace('attempts: 1', 'attempts: 2')
/** Longer than a token lives, in whole seconds. */
const afterTokensMs = 33_000

/** The failure of the first of two tokens is kept back until the second is over. */
async function signedEarly(home: Harness, ends: () => unknown): Promise<Reply> {
  const run = await home.run(twice)
  const first = await run.token('first', append('a'))
  await run.token('first', append('a'))
  const documents = await execute(first, absent, home.keys.receipt)
  await ends()
  return run.settle('first', documents)
}

/** A later token brings a failure, after the one before has brought an outcome that nobody knows. */
async function signedAfterUnknown(home: Harness): Promise<Reply> {
  await home.boot({ agent: 'bell' })
  const run = await home.run(ringing)
  const token = await run.token('ring', noon)
  await run.settle('ring', await execute(token, unknown, home.keys.receipt))
  home.clock.time += afterTokensMs
  return run.break('ring', noon, absent)
}

export const lastWordCases: readonly NotaryCase[] = [
  answered('TOKENS_ALIVE', 'a failure before the effect, of one token of two', async (home) => {
    const run = await home.run(twice)
    await run.token('first', append('a'))
    return run.break('first', append('a'), absent)
  }),
  answered('TOKENS_ALIVE', 'a failure before the effect that was signed too early', (home) =>
    signedEarly(home, () => {
      home.clock.time += afterTokensMs
    }),
  ),
  answered('TOKENS_ALIVE', 'a failure before the effect, by the process that ended', (home) =>
    signedEarly(home, () => home.boot({ bootEpoch: 'epoch-0002' })),
  ),
  answered(
    'TOKENS_ALIVE',
    'a failure before the effect, after an unknown outcome',
    signedAfterUnknown,
  ),
]
