// The checks behind the flow rules, each with what stands in its place when it is gone, and the steps by
// which a label gets worse. flow-guards.test.ts removes them one at a time.

import type { FlowCode } from '../../plan/issues.ts'
import { type Guard, gone } from './one-check-less.ts'

const rules = 'plan/flow-rules.ts'
const flow = 'plan/flow.ts'
const labels = 'plan/labels.ts'
const said = 'plan/said.ts'
const sinks = 'plan/flow-sinks.ts'

/** What counts as said: asked about is what is only a part of it, or looks like it. */
export const spoken: readonly Guard<FlowCode>[] = [
  gone('FLOW_R9', said, 'plain !== value || ', ''),
  gone('FLOW_R9', said, ' || value !== value.trim()', ''),
  gone('FLOW_R9', said, ' || unseen.test(value)', ''),
  gone('FLOW_R9', said, 'if ([...value].length < minCharacters)'),
  gone('FLOW_R9', said, 'token.open === word ||', 'token.open.startsWith(word) ||'),
  gone('FLOW_R9', said, 'token.open === word ||', 'token.open.endsWith(word) ||'),
]

/** R10: what no label is known of is nobody's word, and for the owner alone. */
export const unlabelled: readonly Guard<FlowCode>[] = [
  gone('FLOW_R2', labels, "nearest?.readers === 'PUBLIC' &&", "nearest?.readers !== 'owner' &&"),
  gone(
    'FLOW_R1',
    labels,
    "integrity: 'UNTRUSTED', readers: isPublic",
    "integrity: 'USER', readers: isPublic",
  ),
]

export const guards: readonly Guard<FlowCode>[] = [
  ...unlabelled,
  gone(
    'FLOW_R1',
    rules,
    'if ((decides || inRequest) && !isTrusted(piece.label))',
    'if (inRequest && !isTrusted(piece.label))',
  ),
  gone(
    'FLOW_R1',
    rules,
    "if (roles.has('opaque') && piece.label.agents.some((one) => one !== agent.name))",
  ),
  gone('FLOW_R1', labels, 'agents: merge(one.agents, other.agents)', 'agents: other.agents'),
  gone('FLOW_R2', rules, 'const seen = isOpen ? [] : judgeReaders(asked)', 'const seen = [] as []'),
  gone('FLOW_R2', labels, 'readers: both(one.readers, other.readers)', 'readers: other.readers'),
  // What a result is made of, what decided that there is one, and that there is none.
  gone(
    'FLOW_R2',
    flow,
    'const base = join(pc, joinAll(pieces.map(({ label }) => label)))',
    'const base = pc',
  ),
  gone(
    'FLOW_R2',
    flow,
    'const base = join(pc, joinAll(pieces.map(({ label }) => label)))',
    'const base = joinAll(pieces.map(({ label }) => label))',
  ),
  gone('FLOW_R2', flow, "step.onError === 'continue' ? outcome : bottom", 'bottom'),
  gone(
    'FLOW_R2',
    flow,
    "if (form.form === 'text') return join(written, labelOf(form.with, step))",
    "if (form.form === 'text') return written",
  ),
  gone('FLOW_R2', sinks, 'const all = item.list.map(', 'const all = item.list.slice(0, 1).map('),
  gone(
    'FLOW_R2',
    'plan/principals.ts',
    'if (values === undefined || values.length === 0) return',
    'if (values === undefined || values.length === 0) return [owner]\n  if (Date.now() < 0) return',
  ),
  gone(
    'FLOW_R3',
    rules,
    '...(mayBeEnabled ? [] : untrusted',
    '...(Date.now() > 0 ? [] : untrusted',
  ),
  gone(
    'FLOW_R3',
    rules,
    "const mayBeEnabled = isOwners && asked.context.author === 'person'",
    'const mayBeEnabled = isOwners',
  ),
  gone('FLOW_R3', flow, 'if (step.when !== null)'),
  gone('FLOW_R3', flow, 'if (step.forEach !== undefined) {'),
  gone('FLOW_R3', flow, "if (step.join === 'any') {"),
  gone(
    'FLOW_R4',
    rules,
    '.filter(({ label }) => !mayBeSeenBy(label, audience))',
    '.filter(() => false)',
  ),
  gone(
    'FLOW_R5',
    rules,
    'if ((decides || inRequest) && !isTrusted(piece.label))',
    'if (decides && !inRequest && !isTrusted(piece.label))',
  ),
  gone('FLOW_R6', rules, "by === 'forEach' && mayBeEnabled && needsItsList(step)", 'by !== by'),
  gone('FLOW_R6', rules, "if (step.action.effect !== 'write') return true", ''),
  gone('FLOW_R9', rules, 'isTrusted(piece.label) && isUnlisted(asked, piece)', 'Date.now() < 0'),
  gone(
    'FLOW_R9',
    rules,
    "isWord = decides || (roles.has('opaque') &&",
    'isWord = decides || (Date.now() < 0 &&',
  ),
  gone(
    'FLOW_R9',
    rules,
    "if (context.author === 'person' || argument === null) return false",
    "if (context.author === 'person' || typeof argument !== 'string') return false",
  ),
  gone('FLOW_R9', rules, "typeof value !== 'string' || bounded", 'true || bounded'),
  gone('FLOW_R11', 'plan/flow-secrets.ts', 'return reference.test(text) || ', 'return '),
  gone('FLOW_R11', 'plan/flow-secrets.ts', 'looks.some((look) => look.test(text)) || ', ''),
]
