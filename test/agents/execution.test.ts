// What becomes of a handler that misbehaves. The rule behind every line: an unknown is never reported
// as a failure, and a failure that says `absent` certainly had no effect.

import { describe, expect, it } from 'vitest'
import type { RuntimePoint } from '../../agents/carry-out.ts'
import { LedgerError } from '../../agents/ledger-file.ts'
import { sha256 } from '../../security/verify/hash.ts'
import type { CommandInput } from '../support/agent-commands.ts'
import { createHeld } from '../support/held.ts'
import { useRuntime } from '../support/runtime-bench.ts'

const bench = useRuntime()
const states = () => bench.home.rows().map((row) => row['state'])

describe('a handler that throws what nobody expected', () => {
  it('has failed without effect where it only reads', async () => {
    const reply = await bench.runtime.run({ action: 'breakRead' })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'INTERNAL', retry: 'absent' })
  })

  it('leaves the outcome unknown where it may have acted, also to the next who asks', async () => {
    expect(await bench.runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    expect(await bench.runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    await bench.restart()
    expect(await bench.runtime.run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('signs the unknown: a receipt over nothing', async () => {
    const reply = await bench.runtime.run({ action: 'breakWrite' })
    expect(reply).toHaveProperty('receipt')
    expect(reply).not.toHaveProperty('result')
    expect(states()).toEqual(['UNKNOWN'])
  })
})

describe('a result that cannot be used', () => {
  it.each(['schema', 'json'] as const)('by %s is a final failure: it has run', async (how) => {
    const command = { action: 'misfit', args: { how } } satisfies CommandInput
    const expected = { status: 'FAILED', code: 'INVALID_RESULT', retry: 'final' }
    expect(await bench.runtime.run(command)).toMatchObject(expected)
    expect(await bench.runtime.run(command)).toMatchObject(expected)
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('by size is one too, by the byte', async () => {
    const overhead = '{"text":""}'.length
    const bytes = 1_000 - overhead
    const fits = await bench.runtime.run({ action: 'huge', args: { bytes } })
    expect(fits).toMatchObject({ status: 'DONE' })
    const idem = sha256('two')
    const beyond = await bench.runtime.run({ action: 'huge', args: { bytes: bytes + 1 }, idem })
    expect(beyond).toMatchObject({ status: 'FAILED', code: 'INVALID_RESULT' })
  })
})

describe('a handler that takes too long', () => {
  it('has failed without effect where it only reads', async () => {
    const reply = await bench.runtime.run({ action: 'slowRead', args: { ms: 700 } })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'UNAVAILABLE', retry: 'absent' })
  })

  it('is told to stop, and its outcome is unknown where it does not say what it did', async () => {
    const reply = await bench.runtime.run({ action: 'slow', args: { ms: 5_000, heedsAbort: true } })
    expect(reply).toMatchObject({ status: 'UNKNOWN' })
    await bench.runtime.idle(10_000)
    expect(bench.home.effects()).toEqual([])
  }, 15_000)

  it('is still done when it ends soon after it was told to stop', async () => {
    const reply = await bench.runtime.run({
      action: 'slow',
      args: { ms: 1_400, heedsAbort: false },
    })
    expect(reply).toMatchObject({ status: 'DONE' })
  }, 15_000)

  it('is given up when it ignores that; nobody runs it again meanwhile; its truth comes late', async () => {
    const command = {
      action: 'slow',
      args: { ms: 3_600, heedsAbort: false },
    } satisfies CommandInput
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(await bench.runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
    await bench.runtime.idle(5_000)
    expect(await bench.runtime.run(command)).toMatchObject({
      status: 'DONE',
      result: '{"count":1}',
    })
    expect(bench.home.effects()).toHaveLength(1)
  }, 15_000)

  it('answers IN_PROGRESS when the reply is due first, and ends in the ledger', async () => {
    const held = createHeld()
    const onPoint = (point: RuntimePoint) => (point === 'after-effect' ? held.until : undefined)
    await bench.restart({ replyWithinMs: 100, onPoint })
    const command = { action: 'count', args: { text: 'a' } } satisfies CommandInput
    try {
      expect(await bench.runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
      expect(await bench.runtime.run(command)).toEqual({ status: 'IN_PROGRESS' })
    } finally {
      held.release()
    }
    await bench.runtime.idle(5_000)
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'DONE' })
    expect(bench.home.effects()).toHaveLength(1)
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
    await bench.restart({}, (ledger) => ({
      ...ledger,
      reserve: guard('reserve', ledger.reserve),
      markExecuting: guard('markExecuting', ledger.markExecuting),
      record: guard('record', ledger.record),
    }))
  }

  it.each(['reserve', 'markExecuting'] as const)('does not run when %s fails', async (at) => {
    await whileBroken(at)
    expect(await bench.runtime.run(command)).toEqual({
      status: 'REFUSED',
      code: 'LEDGER_UNAVAILABLE',
    })
    expect(bench.home.effects()).toEqual([])
    broken = undefined
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'DONE' })
  })

  it('is unknown when it has run and only its outcome is lost', async () => {
    await whileBroken('record')
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(bench.runtime.notices.map((notice) => notice.kind)).toEqual(['not-recorded'])
    broken = undefined
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'UNKNOWN' })
    expect(bench.home.effects()).toHaveLength(1)
  })
})

it('waits for nothing when it is idle', async () => {
  // Far longer than a test may take: it can only end by finding nothing to wait for.
  await expect(bench.runtime.idle(600_000)).resolves.toBeUndefined()
})
