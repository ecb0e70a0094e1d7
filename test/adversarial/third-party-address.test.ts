// An address that arrived in third-party mail becomes a recipient: refused by the compiler; with its check
// removed from what is built, by the admission; with that removed too, by the authorisation. With none
// of the three, the token is signed. The same where an earlier request has read it.

import { describe, expect, it } from 'vitest'
import { builtWithout, flowAskers } from '../support/built-without.ts'
import { gone, type Removal } from '../support/one-check-less.ts'
import type { Answers } from '../support/third-party-address.ts'

const { compiler, admission } = flowAskers
const authorisation = gone(
  'FLOW',
  'notary/flow.ts',
  'return refusal === undefined ? { followed, questions } : { refusal }',
  'void refusal\n  return { followed, questions }',
)

const inOnePlan = builtWithout<{ attempt(): Promise<Answers> }>(
  'test/support/third-party-address.ts',
)
const inALaterPlan = builtWithout<{ attempt(): Promise<Answers> }>(
  'test/support/third-party-handle.ts',
)

describe.each([
  {
    ...{ what: 'as a recipient', build: inOnePlan },
    ...{ path: '/steps/1/args/to/0', source: '/steps/0', check: 'FLOW_R1' },
  },
  {
    ...{ what: 'as an earlier request has read it', build: inALaterPlan },
    ...{ path: '/steps/0/args/to/0', source: 'r-0/inbox/0' },
    check: 'FLOW_R1',
  },
])('an address from third-party mail, $what', ({ build, path, source, check }) => {
  const answersWithout = async (...removed: readonly Removal[]) =>
    (await build(...removed)).attempt()

  it('is refused by plan check and at registration, with what it came from', async () => {
    expect(await answersWithout()).toMatchObject({
      check,
      request: 'PLAN_INVALID',
      told: { code: 'FLOW_R1', path, source },
    })
  })

  it('is refused by the admission when the compiler does not ask', async () => {
    expect(await answersWithout(compiler)).toEqual({
      check: 'ok',
      request: 'REGISTERED',
      admit: 'FLOW',
      told: `the flow rules refuse ${path}, because of ${source}`,
    })
  })

  it('is refused by the authorisation when the admission does not ask either', async () => {
    expect(await answersWithout(compiler, admission)).toEqual({
      check: 'ok',
      request: 'REGISTERED',
      admit: 'ADMITTED',
      authorize: 'FLOW',
      told: ['FLOW_R1'],
    })
  })

  it('gets its mail when nobody asks', async () => {
    expect(await answersWithout(compiler, admission, authorisation)).toEqual({
      check: 'ok',
      request: 'REGISTERED',
      admit: 'ADMITTED',
      authorize: 'AUTHORISED',
    })
  })
})
