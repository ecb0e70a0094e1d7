// Counts what was checked: one row at a time, in the order of `seq`, and no row is kept. Of an effect a
// few words are kept while it is out. Rows out of scope are read too, because an effect that ends in a
// period may have begun before it; they are not counted. Pure.

import type { Checks } from './report-contract.ts'
import { ofEgress } from './report-remedies.ts'
import { agentOf, type ReadRow } from './report-rows.ts'

/** Class of an action, `agent.action`; undefined where no manifest declares it. */
export type ClassOf = (action: string) => string | undefined

export interface Tally {
  add(read: ReadRow, inScope: boolean): void
  /** `open`: outcomes in scope that are still not known. */
  checks(open: number): Checks
}

/** Effects that have not ended; more than any deployment has at once. */
const maxOut = 100_000
/** Names of one count: rules and faults are few, and a hostile row can name what it likes. */
const maxNames = 500

export function createTally(classOf: ClassOf): Tally {
  const counts = noCounts()
  const effects = createEffects(classOf, counts)
  return {
    add(read, inScope) {
      const { kind } = read.row
      if (kind === 'intent') effects.intent(read, inScope)
      if (!inScope && kind !== 'outcome') return
      if (kind === 'outcome') effects.outcome(read, inScope)
      if (kind === 'mint') effects.mint(read)
      if (kind === 'decision') addDecision(counts, read)
      if (kind === 'approval') addApproval(counts, read)
      if (kind === 'message') addMessage(counts, read)
      if (kind === 'plan' || kind === 'security' || kind === 'life-cycle') addEvent(counts, read)
    },
    checks: (open) => ({
      ...counts,
      decisions: {
        ...counts.decisions,
        rules: Object.fromEntries(counts.decisions.rules),
        policies: Object.fromEntries(counts.decisions.policies),
      },
      results: { ...counts.results, faults: Object.fromEntries(counts.results.faults) },
      unknown: { ...counts.unknown, open },
      effects: effects.all(),
    }),
  }
}

type Counts = ReturnType<typeof noCounts>

function noCounts() {
  return {
    plans: { registered: 0, admitted: 0, refused: 0 },
    decisions: {
      ...{ allowed: 0, asked: 0, refused: 0, flow: 0, policy: 0 },
      rules: new Map<string, number>(),
      policies: new Map<string, number>(),
    },
    approvals: {
      ...{ asked: 0, approved: 0, denied: 0, expired: 0, used: 0 },
      ...{ granted: 0, grantsUsed: 0, revoked: 0 },
    },
    tokens: { intents: 0, minted: 0, following: 0, unintended: 0 },
    steps: { skipped: 0, denied: 0 },
    results: { accepted: 0, refused: 0, faults: new Map<string, number>() },
    unknown: { told: 0, resolved: 0 },
    undos: { settled: 0, failed: 0, unknown: 0 },
    quarantines: { imposed: 0, lifted: 0 },
    egress: { requests: 0, tunnels: 0, refused: 0, failed: 0 },
    keys: { replaced: 0 },
    policies: { changed: 0, refused: 0 },
  }
}

interface Out {
  readonly agent: string
  readonly effect: string
}

function createEffects(classOf: ClassOf, counts: Counts) {
  const out = new Map<string, Out>()
  const ended = new Map<string, Checks['effects'][number]>()

  function endedOf({ agent, effect }: Out) {
    const key = `${agent} ${effect}`
    const known = ended.get(key) ?? { agent, effect, settled: 0, failed: 0, unknown: 0 }
    if (ended.size < maxNames) ended.set(key, known)
    return known
  }

  return {
    intent({ body }: ReadRow, inScope: boolean): void {
      const { idem = '', action = '', agent = '' } = body
      const [oldest] = out.size < maxOut ? [] : out.keys()
      if (oldest !== undefined) out.delete(oldest)
      // As it was declared then; rows of earlier releases do not say.
      const effect = body.question?.effect ?? classOf(action) ?? 'undeclared'
      out.set(idem, { agent: agentOf(agent), effect })
      if (!inScope) return
      const { decisions, tokens } = counts
      tokens.intents += 1
      if (body.verdict === 'ask') decisions.asked += 1
      else decisions.allowed += 1
      countNames(decisions.rules, body.rules)
      if (body.policy !== undefined) countNames(decisions.policies, [body.policy])
    },
    mint({ body }: ReadRow): void {
      if (body.op === 'attach' || body.op === 'cancel') counts.tokens.following += 1
      else counts.tokens.minted += 1
      if (!out.has(body.idem ?? '')) counts.tokens.unintended += 1
    },
    outcome({ row, body }: ReadRow, inScope: boolean): void {
      const { idem = '', outcome = '', kind, code } = body
      const begun = out.get(idem)
      out.delete(idem)
      if (!inScope) return
      if (outcome === 'skipped' || outcome === 'denied') counts.steps[outcome] += 1
      if (outcome !== 'settled' && outcome !== 'failed' && outcome !== 'unknown') return
      if (kind === 'undo') counts.undos[outcome] += 1
      if (outcome === 'unknown') counts.unknown.told += 1
      if (begun !== undefined) endedOf(begun)[outcome] += 1
      if (code === 'INVALID_RESULT') {
        counts.results.refused += 1
        countNames(counts.results.faults, [body.fault ?? 'told by the agent'])
      } else if (outcome === 'settled' && row.actor.startsWith('agent:')) {
        counts.results.accepted += 1
      }
    },
    all: () =>
      [...ended.values()].toSorted((a, b) =>
        `${a.agent} ${a.effect}`.localeCompare(`${b.agent} ${b.effect}`, 'en'),
      ),
  }
}

function addDecision(counts: Counts, { body }: ReadRow): void {
  const { decision, code, call } = body
  if (decision === 'resolved') counts.unknown.resolved += 1
  if (decision !== 'refused') return
  counts.decisions.refused += 1
  countNames(counts.decisions.rules, body.rules)
  if (code === 'FLOW') counts.decisions.flow += 1
  if (code === 'POLICY') counts.decisions.policy += 1
  if (code === 'PLAN_INVALID' || call === 'admit') counts.plans.refused += 1
}

function addApproval({ approvals, decisions }: Counts, { body }: ReadRow): void {
  const { event } = body
  // Other events are about how a question is kept.
  switch (event) {
    case 'asked':
    case 'approved':
    case 'denied':
    case 'expired':
    case 'used':
    case 'granted':
    case 'revoked':
      approvals[event] += 1
      break
    case 'grant-used':
      approvals.grantsUsed += 1
      break
    default:
  }
  for (const { rules } of body.asks ?? []) countNames(decisions.rules, rules)
}

function addMessage({ egress }: Counts, { row, body }: ReadRow): void {
  if (!row.subject.startsWith('egress:')) return
  const { code = '', skipped = 0 } = body
  if (code === 'OK') egress.requests += 1
  else if (code === 'OPENED') egress.tunnels += 1
  else if (ofEgress[code] !== undefined) egress.refused += 1 + skipped
  else if (code !== 'CLOSED') egress.failed += 1 + skipped
}

function addEvent(counts: Counts, read: ReadRow): void {
  const { row, body } = read
  switch (row.kind) {
    case 'plan':
      if (body.event === 'registered' || body.event === 'admitted') counts.plans[body.event] += 1
      break
    case 'security':
      if (body.event === 'quarantined') counts.quarantines.imposed += 1
      if (body.event === 'restored') counts.quarantines.lifted += 1
      break
    default:
      if (isKeyChange(read)) counts.keys.replaced += 1
      if (body.event === 'policy-changed') counts.policies.changed += 1
      if (body.event === 'policy-refused') counts.policies.refused += 1
  }
}

/** Of the notary's own keys a row each; of the others the phase in which the new ones are in use. */
function isKeyChange({ row: { subject }, body }: ReadRow): boolean {
  if (subject === 'audit-key' || subject === 'token-key') return true
  return /^keys:(?:certificates|nkeys|payload)$/.test(subject) && body.phase === 'in-use'
}

function countNames(counts: Map<string, number>, names: readonly string[] = []): void {
  for (const name of names) {
    if (counts.has(name) || counts.size < maxNames) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
}
