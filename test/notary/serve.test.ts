// What the notary answers where there is nothing to decide on: a message that cannot be read, and one
// that is too old, because a clock is wrong. The second is no verdict: whoever asked asks again.

import { expect, it } from 'vitest'
import { isOutage } from '../../notary/codes.ts'
import { notaryCalls } from '../../notary/permissions.ts'
import { serveNotary } from '../../notary/serve.ts'
import type { Bus } from '../../security/bus.ts'
import { createHarness } from './harness.ts'

type Serving = Parameters<Bus['serve']>

it.each(notaryCalls)('tells what is unreadable from what is too old: %s', async (call) => {
  const harness = await createHarness()
  const served = new Map<string, Serving[2]>()
  const bus: Pick<Bus, 'serve'> = {
    serve: (subject, _handler, options) => void served.set(subject, options),
  }
  serveNotary(bus, harness.notary)
  const answer = (code: 'MALFORMED' | 'EXPIRED_MESSAGE') =>
    served.get(`notary.${call}.*`)?.onMalformed?.(code)
  const status = call === 'authorize' ? 'DENIED' : 'REFUSED'
  expect(answer('MALFORMED')).toMatchObject({ status, code: 'MALFORMED' })
  expect(answer('EXPIRED_MESSAGE')).toMatchObject({ status, code: 'EXPIRED_MESSAGE' })
  expect([isOutage('MALFORMED'), isOutage('EXPIRED_MESSAGE')]).toEqual([false, true])
  await harness.close()
})
