// A case for each reason for which an effect does not go to another replica, whoever is free there.

import { execute, type Harness } from '../notary/harness.ts'
import { pooled } from '../notary/plans.ts'
import { answered, type NotaryCase, type Reply } from './notary-case.ts'

/** Longer than a token lives, in whole seconds. */
const afterTokensMs = 33_000
const absent = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const

/** Asks again for an effect whose replica has been shut out since, while another one is free. */
async function askedAgain(
  home: Harness,
  step: 'look-0' | 'drop',
  between: { readonly waits: boolean; readonly absent?: boolean },
): Promise<Reply> {
  for (const n of [0, 1]) await home.boot({ agent: 'pool', n, bootEpoch: `epoch-pool-${n}` })
  const run = await home.run(pooled)
  const args = step === 'drop' ? { at: 'drop', dryRun: false } : { at: step }
  const token = await run.token(step, args)
  if (between.absent === true) {
    // Of one of two tokens: the other one is out.
    await run.token(step, args)
    const documents = await execute(token, absent, home.keys.receipt)
    await run.settle(step, documents, { again: true })
  }
  const n = Number(token.agent.slice('pool.'.length))
  const about = { agent: 'pool', n, by: 'user:owner', reason: 'test' }
  await home.notary.quarantine('supervisor', { op: 'set', ...about })
  if (between.waits) home.clock.time += afterTokensMs
  return run.authorize(step, args)
}

export const poolCases: readonly NotaryCase[] = [
  answered('TOKENS_ALIVE', 'a read elsewhere while a token of it is alive', (home) =>
    askedAgain(home, 'look-0', { waits: false }),
  ),
  answered('QUARANTINED', 'a write elsewhere when its tokens are over', (home) =>
    askedAgain(home, 'drop', { waits: true }),
  ),
  answered('QUARANTINED', 'a write elsewhere after one token of two did nothing', (home) =>
    askedAgain(home, 'drop', { waits: true, absent: true }),
  ),
]
