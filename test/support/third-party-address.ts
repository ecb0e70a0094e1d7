// The first attack: mail from a third party names an address, and a plan makes it the recipient of what
// the plan sends. Asked of each place that judges a plan. third-party-address.test.ts bundles this file
// from sources in which checks are missing.

import { compileSource } from '../../plan/compile.ts'
import type { Decide } from '../../plan/policy.ts'
import { catalogue } from '../notary/catalogue.ts'
import { createHarness, execute } from '../notary/harness.ts'

/** Nothing in it is an instruction to anybody. */
const source = `
version: 1
goal: answer whoever wrote last
steps:
  - { id: inbox, agent: mail, action: list, args: { folder: inbox } }
  - id: answer
    agent: mail
    action: send
    args: { to: [{ $from: 'inbox#/first/from' }], subject: Re, body: The account is 1234 }
answer: { from: [inbox] }
`
const attacker = 'billing@evil.example'
const message = { id: 'm1', from: attacker, subject: 'Invoice', text: 'see above' }
const inbox = { first: message, messages: [message], count: 1 }

/** Every rule of the policy allows it: what refuses here is the flow. */
const decide: Decide = () => ({ verdict: 'allow', rules: ['anything'] })

/** What each place says, in the order in which they are asked; what was not reached is missing. */
export interface Answers {
  readonly check: string
  readonly request: string
  readonly admit?: string
  readonly authorize?: string
  /** Rules and cause that the last refusal named. */
  readonly told?: unknown
}

export async function attempt(): Promise<Answers> {
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  const check = compiled.ok ? 'ok' : compiled.issues.map(({ code }) => code).join(' ')
  const harness = await createHarness({ catalogue, decide })
  try {
    const call = { requestId: 'r-1', kind: 'plan', name: 'test', source, inputs: {} }
    const registered = await harness.notary.request('cli', { ...call, priority: 'MEDIUM' })
    if (registered.status !== 'REGISTERED') {
      return { check, request: registered.code, told: registered.issues?.[0] }
    }
    const before = { check, request: registered.status }
    if (!compiled.ok) return before
    const { plan, digest } = compiled
    const admitted = await harness.notary.admit('worker', { requestId: 'r-1', plan })
    if (admitted.status === 'REFUSED') {
      return { ...before, admit: admitted.code, told: admitted.message }
    }
    return { ...before, admit: admitted.status, ...(await send(harness, digest)) }
  } finally {
    await harness.close()
  }
}

/** The inbox as the attacker filled it, then the mail to them. */
async function send(harness: Awaited<ReturnType<typeof createHarness>>, planDigest: string) {
  await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
  const common = { requestId: 'r-1', planDigest, kind: 'do', op: 'run', iteration: 0 } as const
  const listing = { ...common, step: 'inbox', args: { folder: 'inbox' }, sources: [] }
  const listed = await harness.notary.authorize('worker', listing)
  if (listed.status !== 'AUTHORISED') return { authorize: listed.status }
  const happened = { status: 'DONE', value: inbox } as const
  const { receipt, envelope, ...result } = await execute(listed, happened, harness.keys.receipt)
  const { requestId, kind, iteration } = common
  const address = { requestId, planDigest, kind, step: 'inbox', iteration }
  const documents = { type: 'receipt', receipt, envelope, invalidResult: false }
  await harness.notary.settle('worker', { ...address, ...documents })
  const sending = {
    ...common,
    step: 'answer',
    args: { to: [attacker], subject: 'Re', body: 'The account is 1234' },
    sources: [{ step: 'inbox', iteration: 0, hash: result.resultHash, content: result.content }],
  }
  const reply = await harness.notary.authorize('worker', sending)
  return reply.status === 'DENIED'
    ? { authorize: reply.code, told: reply.rules }
    : { authorize: reply.status }
}
