// When a token that is out can begin nothing any more: with its life, with its use, and with the process
// that it was made for, which is gone when the supervisor has registered the next one.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCatalogue } from '../../plan/manifest.ts'
import { catalogue } from './catalogue.ts'
import { createHarness, type Harness, type Run } from './harness.ts'
import { ringing } from './plans.ts'

let harness: Harness
let run: Run
const begin = async (using = catalogue) => {
  harness = await createHarness({ catalogue: using })
  await harness.boot({ agent: 'bell' })
  run = await harness.run(ringing)
}
beforeEach(() => begin())
afterEach(() => harness.close())

const args = { at: 'noon', dryRun: false }
const next = (change: object = {}) =>
  harness.boot({ agent: 'bell', bootEpoch: 'epoch-0002', ...change })
const probe = (idem: string) =>
  run.authorize('ring', { entry: idem, at: 'noon' }, { kind: 'probe' })
const undo = (idem: string) =>
  run.authorize('ring', { entry: idem, dryRun: false }, { kind: 'undo' })

/** The same agent, which may also ask one host. */
function withNetwork() {
  const manifests = [...catalogue.values()].map((manifest) =>
    manifest.name === 'bell'
      ? {
          ...manifest,
          egress: [
            {
              ...{ id: 'tower', host: 'tower.example', port: 443, protocol: 'https' as const },
              allow: [{ methods: ['POST' as const], path: '/ring' }],
            },
          ],
        }
      : manifest,
  )
  return createCatalogue(manifests)
}

describe('a token of a process that is gone', () => {
  it('does not keep a probe waiting', async () => {
    const { idem } = await run.token('ring', args)
    expect(await probe(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
    await next()
    expect(await probe(idem)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('does not keep an undo waiting', async () => {
    const { idem } = await run.token('ring', args)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await undo(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
    await next()
    expect(await undo(idem)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('does not keep an end without a receipt waiting', async () => {
    await run.token('ring', args)
    await next()
    const said = []
    for (let attempt = 0; attempt < 5; attempt += 1) said.push(await run.fail('ring'))
    expect(said.at(-1)).toMatchObject({ status: 'PROBE' })
  })

  it('is one only when another start was registered: a stop is told before it is done', async () => {
    const { idem } = await run.token('ring', args)
    await harness.boot({ agent: 'bell', running: false })
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await undo(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
  })

  it('is not one because another replica, or another agent, was started', async () => {
    const { idem } = await run.token('ring', args)
    await harness.boot({ agent: 'desk', bootEpoch: 'epoch-0002' })
    expect(await probe(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
  })

  it('keeps others waiting where its agent may ask the network: the gateway outlives it', async () => {
    await harness.close()
    await begin(withNetwork())
    const { idem } = await run.token('ring', args)
    await next()
    expect(await probe(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
    harness.clock.time += 32_001
    expect(await probe(idem)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('says nothing of a token of the process that runs now', async () => {
    await run.token('ring', args)
    await next()
    const { idem } = await run.token('ring', args)
    expect(await probe(idem)).toMatchObject({ code: 'TOKENS_ALIVE' })
  })
})
