// What becomes of a handler that misbehaves. The rule behind every line: an unknown is never reported
// as a failure, and a failure that says `absent` certainly had no effect.

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LedgerError } from '../../agents/ledger-file.ts'
import { sha256 } from '../../security/verify/hash.ts'
import {
  type Authority,
  type CommandInput,
  createAuthority,
  startRuntime,
  type TestRuntime,
} from '../support/agent-commands.ts'
import { createHome, type TestHome } from '../support/agent-home.ts'

let authority: Authority
let home: TestHome
let runtime: TestRuntime

beforeAll(async () => {
  authority = await createAuthority()
})
beforeEach(async () => {
  home = createHome()
  runtime = await startRuntime(home, authority)
})
afterEach(async () => {
  await runtime.idle(10_000)
  runtime.ledgerHandle.close()
  home.remove()
})

const restart = async (overrides: Parameters<typeof startRuntime>[2] = {}): Promise<void> => {
  runtime.ledgerHandle.close()
  runtime = await startRuntime(home, authority, overrides)
}
const states = () => home.rows().map((row) => row['state'])

describe('a handler that throws what nobody expected', () => {
  it('has failed without effect where it only reads', async () => {
    const reply = await runtime.run({ action: 'breakRead' })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'INTERNAL', retry: 'absent' })
  })

  it('leaves the outcome unknown where it may have acted, also to the next who asks', async () => {
    expect(await runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    expect(await runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    await restart()
    expect(await runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    expect(home.effects()).toHaveLength(1)
  })

  it('signs the unknown: a receipt over nothing', async () => {
    const reply = await runtime.run({ action: 'breakWrite' })
    expect(reply).toHaveProperty('receipt')
    expect(reply).not.toHaveProperty('result')
    expect(states()).toEqual(['UNKNOWN'])
  })
})

describe('a result that cannot be used', () => {
  it.each(['schema', 'json'] as const)('by %s is a final failure: it has run', async (how) => {
    const command = { action: 'misfit', args: { how } } satisfies CommandInput
    const expected = { status: 'FAILED', code: 'INVALID_RESULT', retry: 'final' }
    expect(await runtime.run(command)).toMatchObject(expected)
    expect(await runtime.run(command)).toMatchObject(expected)
    expect(home.effects()).toHaveLength(1)
  })

  it('by size is one too, by the byte', async () => {
    const overhead = '{"text":""}'.length
    const bytes = 1_000 - overhead
    const fits = await runtime.run({ action: 'huge', args: { bytes } })
    expect(fits).toMatchObject({ status: 'DONE' })
    const idem = sha256('two')
    const beyond = await runtime.run({ action: 'huge', args: { bytes: bytes + 1 }, idem })
    expect(beyond).toMatchObject({ status: 'FAILED', code: 'INVALID_RESULT' })
  })
})

describe('a handler that takes too long', () => {
  it('has failed without effect where it only reads', async () => {
    const reply = await runtime.run({ action: 'slowRead', args: { ms: 700 } })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'UNAVAILABLE', retry: 'absent' })
  })

  it('is told to stop, and its outcome is unknown where it does not say what it did', async () => {
    const reply = await runtime.run({ action: 'slow', args: { ms: 5_000, heedsAbort: true } })
    expect(reply).toMatchObject({ status: 'UNKNOWN' })
    await runtime.idle(10_000)
    expect(home.effects()).toEqual([])
  }, 15_000)

  it('is still done when it ends soon after it was told to stop', async () => {
    const reply = await runtime.run({ action: 'slow', args: { ms: 1_400, heedsAbort: false } })
    expect(reply).toMatchObject({ status: 'DONE' })
  }, 15_000)

  it('is given up when it ignores that; nobody runs it again meanwhile; its truth comes late', async () => {
    const command = {
      action: 'slow',
      args: { ms: 3_600, heedsAbort: false },
    } satisfies CommandInput
    expect(await runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(await runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
    await runtime.idle(5_000)
    expect(await runtime.run(command)).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(home.effects()).toHaveLength(1)
  }, 15_000)

  it('answers IN_PROGRESS when the reply is due first, and ends in the ledger', async () => {
    await restart({ replyWithinMs: 100 })
    const command = { action: 'slow', args: { ms: 400, heedsAbort: true } } satisfies CommandInput
    expect(await runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
    expect(await runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
    await runtime.idle(5_000)
    expect(await runtime.run(command)).toMatchObject({ status: 'DONE' })
    expect(home.effects()).toHaveLength(1)
  })
})

describe('an effect that cannot be recorded', () => {
  let broken: 'reserve' | 'markExecuting' | 'record' | undefined
  const command = { action: 'count', args: { text: 'a' } } satisfies CommandInput
  const whileBroken = async (at: typeof broken) => {
    const guard = <Work extends (...args: never[]) => unknown>(name: typeof broken, work: Work) =>
      ((...args: Parameters<Work>) => {
        if (broken === name) throw new LedgerError('FULL', 'no space')
        return work(...args)
      }) as Work
    broken = at
    runtime.ledgerHandle.close()
    runtime = await startRuntime(home, authority, {}, (ledger) => ({
      ...ledger,
      reserve: guard('reserve', ledger.reserve),
      markExecuting: guard('markExecuting', ledger.markExecuting),
      record: guard('record', ledger.record),
    }))
  }

  it.each(['reserve', 'markExecuting'] as const)('does not run when %s fails', async (at) => {
    await whileBroken(at)
    expect(await runtime.run(command)).toEqual({ status: 'REFUSED', code: 'LEDGER_UNAVAILABLE' })
    expect(home.effects()).toEqual([])
    broken = undefined
    expect(await runtime.run(command)).toMatchObject({ status: 'DONE' })
  })

  it('is unknown when it has run and only its outcome is lost', async () => {
    await whileBroken('record')
    expect(await runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(runtime.notices.map((notice) => notice.kind)).toEqual(['not-recorded'])
    broken = undefined
    expect(await runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(home.effects()).toHaveLength(1)
  })
})

it('waits for nothing when it is idle', async () => {
  // Far longer than a test may take: it can only end by finding nothing to wait for.
  await expect(runtime.idle(600_000)).resolves.toBeUndefined()
})
