// The record of what agents ask of the network: an event under the step for each request and each end
// of a tunnel. Invariant: while an event of an agent is not on record, nothing more of that agent
// leaves; no other agent waits for it. Refusals get a bounded number of rows, and their count.

import type { CapabilityClaims } from '../security/verify/token.ts'
import { replicaOf } from './admission.ts'
import { type EgressCode, EgressError, type TunnelEnd } from './codes.ts'
import type { GatewayAgent } from './contract.ts'

/** Codes, names and figures only; never a path, a value, a token or a secret. */
export interface EgressEvent {
  readonly kind: 'message'
  readonly subject: string
  readonly summary: Readonly<Record<string, string | number | boolean>>
  /** Of the token that was read; absent when none was. */
  readonly correlation?: { readonly requestId: string; readonly step: string }
}

/** COUNTED: the notary has it in a number and not as a row, because this agent sent too many. */
export type Recording = 'RECORDED' | 'COUNTED' | 'FAILED'

export interface JournalDependencies {
  readonly now: () => number
  readonly record: (event: EgressEvent) => Promise<Recording>
  /** Waits until a row of the agent may be written again. */
  readonly pause: () => Promise<void>
}

/** What is known of an attempt, as far as it came. */
export interface Trail {
  readonly claims?: CapabilityClaims | undefined
  /** Already compared with the manifest. */
  readonly about?: Readonly<Record<string, string>> | undefined
}

export interface Outcome {
  readonly code: EgressCode | TunnelEnd | 'OK' | 'OPENED'
  readonly figures: Readonly<Record<string, number>>
  /** File and key of the line that would allow it. */
  readonly missing?: string | undefined
}

export interface Journal {
  /** @throws EgressError NOT_AUDITED while an earlier event of this agent is not on record */
  settle(agent: GatewayAgent): Promise<void>
  /** Before the effect. @throws EgressError NOT_AUDITED */
  announce(agent: GatewayAgent, trail: Trail, outcome: Outcome): Promise<void>
  /** After it; what cannot be recorded now is owed. */
  note(agent: GatewayAgent, trail: Trail, outcome: Outcome): Promise<void>
}

/** Refusals of one agent that get a row each, and how fast that allowance comes back. */
const notedRefusals = 20
const refusalEveryMs = 1_000
/** An honest burst is through after two pauses of a second; a flood is refused. */
const attempts = 3

interface Page {
  readonly owed: EgressEvent[]
  left: number
  at: number
  /** Refusals without a row of their own since the last row. */
  skipped: number
  settling: Promise<void> | undefined
}

export function createJournal({ now, record, pause }: JournalDependencies): Journal {
  const pages = new Map<string, Page>()
  const pageOf = (agent: GatewayAgent): Page => {
    const id = replicaOf(agent)
    const page = pages.get(id) ?? newPage(now())
    pages.set(id, page)
    return page
  }

  const write = async (event: EgressEvent): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1) {
      const recording = await record(event)
      if (recording === 'RECORDED') return true
      if (recording === 'FAILED' || attempt === attempts) return false
      await pause()
    }
  }

  const pay = async (page: Page): Promise<void> => {
    for (let next = page.owed[0]; next !== undefined; next = page.owed[0]) {
      if (!(await write(next))) {
        throw new EgressError('NOT_AUDITED', 'an earlier request could not be recorded yet')
      }
      page.owed.shift()
    }
  }

  const settle = async (agent: GatewayAgent): Promise<void> => {
    const page = pageOf(agent)
    // One at a time: two would record the same event twice.
    page.settling ??= pay(page).finally(() => {
      page.settling = undefined
    })
    await page.settling
  }

  return {
    settle,
    async announce(agent, trail, outcome) {
      await settle(agent)
      if (await write(toEvent(agent, trail, outcome, 0))) return
      throw new EgressError('NOT_AUDITED', 'what was asked could not be recorded')
    },
    async note(agent, trail, outcome) {
      const page = pageOf(agent)
      const skipped = takeAllowance(page, now(), outcome.code)
      if (skipped === undefined) return
      const event = toEvent(agent, trail, outcome, skipped)
      if ((await record(event)) !== 'RECORDED') page.owed.push(event)
    },
  }
}

const newPage = (at: number): Page => ({
  ...{ owed: [], left: notedRefusals, at, skipped: 0, settling: undefined },
})

function toEvent(
  agent: GatewayAgent,
  { claims, about }: Trail,
  { code, figures, missing }: Outcome,
  skipped: number,
): EgressEvent {
  return {
    kind: 'message',
    subject: `egress:${replicaOf(agent)}`,
    summary: {
      ...(claims === undefined ? {} : { idem: claims.idem }),
      ...about,
      ...figures,
      code,
      ...(missing === undefined ? {} : { missing }),
      ...(skipped === 0 ? {} : { skipped }),
    },
    ...(claims === undefined
      ? {}
      : { correlation: { requestId: claims.act.sub, step: claims.step } }),
  }
}

/** What left, or began to. */
const passing: ReadonlySet<string> = new Set(['OK', 'OPENED', 'CLOSED'])

/** How many refusals this row stands for besides itself; undefined: no row for this one. */
function takeAllowance(page: Page, now: number, code: Outcome['code']): number | undefined {
  const earned = Math.max(0, Math.floor((now - page.at) / refusalEveryMs))
  page.left = Math.min(notedRefusals, page.left + earned)
  page.at += earned * refusalEveryMs
  // While a row is owed, refusals are only counted: else an outage would make them a list without end.
  if (!passing.has(code) && (page.left === 0 || page.owed.length > 0)) {
    page.skipped += 1
    return undefined
  }
  if (!passing.has(code)) page.left -= 1
  const { skipped } = page
  page.skipped = 0
  return skipped
}
