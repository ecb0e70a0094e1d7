// When an effect may be taken back, and what may no longer happen once a run turns around.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, twoWrites } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

describe('an undo', () => {
  const undo = { kind: 'undo' } as const
  const retract = (entry: string) => ({ note: 'daily', entry, dryRun: false })

  async function written(): Promise<{ run: Run; idem: string }> {
    const run = await harness.run(twoWrites)
    const authorised = await run.token('first', append('a'))
    const value = { entry: 'e-1' }
    const { receipt } = harness.keys
    await run.settle('first', await execute(authorised, { status: 'DONE', value }, receipt))
    return { run, idem: authorised.idem }
  }

  it('is refused while the run goes on', async () => {
    const { run, idem } = await written()
    expect(await run.authorize('first', retract(idem), undo)).toMatchObject({
      code: 'NOT_ABORTING',
    })
  })

  it('is authorised once another step has failed, and after that no forward step is', async () => {
    const { run, idem } = await written()
    await run.break('second', append('b'), { status: 'FAILED', code: 'CONFLICT', retry: 'final' })
    expect(await run.authorize('third', append('c'))).toMatchObject({ code: 'RUN_ABORTING' })
    const reply = await run.token('first', retract(idem), undo)
    expect(reply.idem).not.toBe(idem)
    const documents = await execute(
      reply,
      { status: 'DONE', value: { gone: true } },
      harness.keys.receipt,
    )
    expect(await run.settle('first', documents, undo)).toMatchObject({ outcome: 'settled' })
  })

  it('is authorised after a cancellation, with the arguments that were declared', async () => {
    const { run, idem } = await written()
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const other = retract('A'.repeat(43))
    expect(await run.authorize('first', other, undo)).toMatchObject({ code: 'ARGS_MISMATCH' })
    expect(await run.authorize('first', retract(idem), undo)).toMatchObject({
      status: 'AUTHORISED',
    })
  })

  it('is refused for a step that was never authorised, or that declares none', async () => {
    const { run } = await written()
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await run.authorize('second', retract('x'), undo)).toMatchObject({
      code: 'NEVER_AUTHORISED',
    })
    expect(await run.authorize('read', {}, undo)).toMatchObject({ code: 'UNKNOWN_STEP' })
  })

  it('is refused for a step that failed before it was given a token', async () => {
    const run = await harness.run(twoWrites)
    await run.fail('first')
    expect(await run.authorize('first', retract('x'), undo)).toMatchObject({
      code: 'NEVER_AUTHORISED',
    })
  })

  it('is refused while the step can still happen', async () => {
    const run = await harness.run(twoWrites)
    const { idem } = await run.token('first', append('a'))
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const ask = () => run.authorize('first', retract(idem), undo)
    expect(await ask()).toMatchObject({ code: 'TOKENS_ALIVE' })
    harness.clock.time += 32_001
    expect(await ask()).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is refused while another token of a step that ended unknown can still run it', async () => {
    const run = await harness.run(twoWrites)
    const { idem } = await run.token('first', append('a'))
    const second = await run.token('first', append('a'))
    const { receipt } = harness.keys
    await run.settle('first', await execute(second, { status: 'UNKNOWN' }, receipt))
    const ask = () => run.authorize('first', retract(idem), undo)
    expect(await ask()).toMatchObject({ code: 'TOKENS_ALIVE' })
    harness.clock.time += 32_001
    expect(await ask()).toMatchObject({ status: 'AUTHORISED' })
  })

  it('that needs the result is refused where there is none', async () => {
    const run = await harness.run(twoWrites)
    await run.break('booked', { room: 'blue', dryRun: false }, { status: 'UNKNOWN' })
    const reply = await run.authorize('booked', { booking: 'b-1', dryRun: false }, undo)
    expect(reply).toMatchObject({ code: 'NO_RESULT' })
  })

  it('that needs the result takes it from the settled receipt', async () => {
    const run = await harness.run(twoWrites)
    const source = await run.perform('booked', { room: 'blue', dryRun: false }, { booking: 'b-1' })
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const ask = (booking: string) =>
      run.authorize('booked', { booking, dryRun: false }, { ...undo, sources: [source] })
    expect(await ask('b-2')).toMatchObject({ code: 'ARGS_MISMATCH' })
    expect(await ask('b-1')).toMatchObject({ status: 'AUTHORISED' })
  })
})
