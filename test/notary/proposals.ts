// A request in words, and proposals for it, as an entry point and a worker bring them; whoever proposes is
// not trusted, so that tests propose whatever they like.

import { compileProposal } from '../../plan/compile-proposal.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import { decide as usual } from '../support/policy.ts'
import { catalogue } from './catalogue.ts'
import type { Harness } from './harness.ts'

export const words = 'Book the blue room, and mail bob@x.org that I did.'

export const spoken = {
  requestId: 'r-1',
  kind: 'text',
  name: 'ask',
  source: words,
  inputs: {},
  priority: 'MEDIUM',
}

export const ask = ({ notary }: Harness, change: object = {}, account = 'cli') =>
  notary.request(account, { ...spoken, ...change })

export const propose = ({ notary }: Harness, proposal: unknown, requestId = 'r-1') =>
  notary.admit('worker', { requestId, proposal })

/** JSON text of a plan with these steps. */
export function proposalOf(...steps: readonly object[]): string {
  return JSON.stringify({ version: 1, goal: 'all is well', steps, answer: { from: [] } })
}

export const book = (room: string, more: object = {}) => ({
  ...{ id: 'book', agent: 'desk', action: 'book', args: { room, dryRun: false } },
  ...more,
})
export const mail = (to: string, body: unknown = 'done') => ({
  ...{ id: 'tell', agent: 'mail', action: 'send', args: { to: [to], subject: 'booked', body } },
})
export const inbox = { id: 'inbox', agent: 'mail', action: 'list', args: { folder: 'in' } }

export interface Context {
  readonly decide?: Decide
  readonly names?: KnownNames
  readonly words?: string
}

/** As the notary compiles it. */
export function compiledOf(proposal: string, { decide = usual, names, ...said }: Context = {}) {
  const proposed = { proposal, words: said.words ?? words }
  const compiled = compileProposal(proposed, { catalogue, decide, names })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return compiled
}

/** The call for one of its steps. */
export function stepOf(proposal: string, step: string, context: Context = {}) {
  const { plan, digest } = compiledOf(proposal, context)
  const args = plan.steps.find(({ id }) => id === step)?.args ?? {}
  const about = { requestId: 'r-1', planDigest: digest, step, iteration: 0, sources: [] }
  return { ...about, kind: 'do', op: 'run', args }
}
