// Asks the notary for a token until the answer is final for this attempt: brings the producers'
// results when it has lost them, has a stopped agent started, then asks again. Each round is
// bounded. Decides nothing: what the notary answers is carried back.

import { isOutage } from '../notary/codes.ts'
import type { AuthorizeReply, Source } from '../notary/contract.ts'
import { limits } from '../plan/limits.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { AttemptFailure } from './failure.ts'
import type { SourceDocument } from './load-step.ts'
import type { AgentCalls, NotaryCalls } from './notary-calls.ts'
import { tokenAliveMs } from './token-life.ts'

export type FinalAnswer = Extract<
  AuthorizeReply,
  { status: 'AUTHORISED' | 'SETTLED' | 'APPROVAL' | 'DENIED' }
>

/** Sources are asked for once, an agent started at most twice: more means that something flaps. */
const maxRounds = 4
/** An undo waits until its step can happen no more, and for some rounding. */
const tokensDeadMs = tokenAliveMs + 5_000
const tokensPollMs = 2_000
/** What time alone changes: a token's life, and a clock that is a little behind the workflow's. */
const passes: ReadonlySet<string> = new Set(['TOKENS_ALIVE', 'NOT_YET'])

/** @throws AttemptFailure AGENT_UNAVAILABLE or NOTARY_UNAVAILABLE */
export async function authoriseStep(
  input: Addressed,
  proposal: {
    readonly args: Readonly<Record<string, unknown>>
    readonly sources: readonly SourceDocument[]
    /** `attach`, `cancel`: to follow what is out. Nothing is started for them, unless by `wake`. */
    readonly op?: 'run' | 'attach' | 'cancel'
    /** Whoever follows wants the ledger's word: the agent is started to give it. */
    readonly wake?: boolean
  },
  calls: {
    readonly notary: NotaryCalls
    readonly agents: AgentCalls
    readonly attempt: Attempt
    readonly now: () => number
  },
): Promise<FinalAnswer> {
  const { op = 'run' } = proposal
  const deadline = calls.now() + tokensDeadMs
  let brought: ReadonlySet<string> = new Set()
  let waking = false
  let round = 0
  while (round < maxRounds) {
    const sources = toSources(proposal.sources, brought)
    if (sources === 'LIMIT') return tooLarge
    const answer = await calls.notary.authorize({
      ...addressOf(input),
      op,
      args: { ...proposal.args },
      sources,
    })
    switch (answer.status) {
      case 'NEED_SOURCES':
        round += 1
        brought = new Set([...brought, ...answer.steps.map(({ step }) => step)])
        break
      case 'NOT_RUNNING': {
        round += 1
        waking = true
        // A process that is gone is at work on nothing: whoever follows finds out by running again.
        if (op !== 'run' && proposal.wake !== true) throw new AttemptFailure('NOT_DELIVERED')
        const { agent, n } = answer
        const started = await calls.agents.ensure({ agent, n })
        if (started.status === 'FAILED') throw new AttemptFailure('AGENT_UNAVAILABLE')
        break
      }
      case 'DENIED':
        if (isOutage(answer.code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
        if (passes.has(answer.code) && calls.now() < deadline) {
          await calls.attempt.sleep(tokensPollMs)
          break
        }
        return answer
      case 'APPROVAL':
      case 'AUTHORISED':
      case 'SETTLED':
        return answer
    }
  }
  throw new AttemptFailure(waking ? 'AGENT_UNAVAILABLE' : 'NOTARY_UNAVAILABLE')
}

/** What a call is about: a step, its undo, or its probe. */
export type Addressed = Omit<StepInput, 'kind'> & { readonly kind: StepInput['kind'] | 'probe' }

export function addressOf(input: Addressed) {
  const { requestId, digest, kind, step, iteration, rerun } = input
  const address = { requestId, planDigest: digest, kind, step, iteration }
  return rerun === undefined ? address : { ...address, rerun }
}

/** Sources by hash, with the contents of those in `brought`; LIMIT when these do not fit a message. */
export function toSources(
  documents: readonly SourceDocument[],
  brought: ReadonlySet<string>,
): Source[] | 'LIMIT' {
  let bytes = 0
  const sources = documents.map(({ step, iteration, hash, content }) => {
    if (!brought.has(step)) return { step, iteration, hash }
    // As it travels: inside a JSON string, quotes escaped.
    bytes += Buffer.byteLength(JSON.stringify(content))
    return { step, iteration, hash, content }
  })
  return bytes > limits.sourceBytes ? 'LIMIT' : sources
}

const tooLarge: FinalAnswer = {
  status: 'DENIED',
  code: 'LIMIT',
  rules: [],
  message: 'the results this step builds on exceed one authorisation',
}
