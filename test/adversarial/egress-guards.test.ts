// For each refusal of the gateway and each end of a tunnel: the check that gives it, removed alone from
// what is built, and the case that then comes to something else. A check that no case misses fails.

import { expect, it } from 'vitest'
import {
  type EgressCode,
  refusalCodes,
  sentCodes,
  type TunnelEnd,
  tunnelEnds,
  unsentCodes,
} from '../../egress/codes.ts'
import { describeGuards } from '../support/guard-table.ts'
import { type Guard, gone, never } from '../support/one-check-less.ts'

const admission = 'egress/admission.ts'
const rules = 'egress/rules.ts'
const departure = 'egress/departure.ts'
const gateway = 'egress/gateway.ts'
const tunnel = 'egress/tunnel.ts'
const door = 'egress/tunnel-door.ts'
/** What a token says of itself, for a gateway that believes it. */
const said = "JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())"

const guards: readonly Guard<EgressCode | TunnelEnd>[] = [
  gone(
    'MALFORMED',
    admission,
    'if (!parsed.success)',
    `if (!parsed.success) return value as never; ${never}`,
  ),
  gone('OVERLOADED', gateway, 'if (running >= egressLimits.concurrent)'),
  gone('NOT_AUDITED', gateway, 'await self.journal.settle(agent)', ''),
  gone(
    'NOT_AUDITED',
    tunnel,
    "await journal.announce(agent, trail, { code: 'OPENED', figures: { port: origin.port } })",
    '',
  ),
  gone('NOT_RUNNING', admission, 'epoch === undefined || ', ''),
  gone('NOT_RUNNING', admission, ' || nkey === undefined', ''),
  gone('TOKEN_AUDIENCE', admission, 'audience: `agent:', `audience: ${said}.aud ?? \`agent:`),
  gone('TOKEN_EXPIRED', admission, 'now: now(),', `now: ${said}.iat * 1_000,`),
  gone(
    'ARGS_HASH',
    admission,
    "clearAccess(claims, { op: 'run', agent: id, action, salt, args })",
    '',
  ),
  gone(
    'EGRESS_UNDECLARED',
    rules,
    'agent.egress.find(({ id }) => id === egress)',
    'agent.egress[0]',
  ),
  gone('EGRESS_NOT_OF_ACTION', rules, 'if (!ids.includes(declaration.id))'),
  gone('PROTOCOL_REFUSED', rules, "if (origin.protocol === 'tls')"),
  gone(
    'PROTOCOL_REFUSED',
    rules,
    "if (declaration.origins.some((text) => !text.startsWith('tls://')))",
  ),
  gone('ORIGIN_INVALID', rules, 'if (!parsed.ok)'),
  gone('ORIGIN_REFUSED', rules, 'if (!origins.includes(parsed.origin.text))'),
  gone('NOT_CONFIGURED', rules, 'if (origins.length === 0)'),
  gone('PATH_INVALID', rules, 'if (fault !== undefined)'),
  gone('PATH_REFUSED', rules, 'if (found === undefined)', never),
  gone('METHOD_REFUSED', rules, 'if (!rule.methods.includes(request.method))'),
  gone('QUERY_INVALID', rules, '!queryKey.test(key) || ', ''),
  gone('QUERY_REFUSED', rules, 'if (Object.keys(query).some(isLoose))'),
  gone('BINDING_MISMATCH', rules, 'if (sent !== wanted)'),
  gone(
    'BINDING_MISMATCH',
    rules,
    'if (pointer !== undefined && textAt(args, pointer) !== declaration.id)',
  ),
  gone('HEADER_REFUSED', rules, '!settableHeaders.has(name) || ', ''),
  gone(
    'BODY_REFUSED',
    rules,
    "if (method === 'GET' || method === 'DELETE' || !body.isWellFormed())",
  ),
  gone(
    'ADDRESS_REFUSED',
    'egress/addresses.ts',
    "(kind === 'own' && allowed.own)",
    "kind === 'own'",
  ),
  gone(
    'ADDRESS_REFUSED',
    'egress/addresses.ts',
    "kind === 'public' && allowed.public",
    "kind === 'public'",
  ),
  gone(
    'ADDRESS_REFUSED',
    'egress/addresses.ts',
    "if ((kind === 'public' && allowed.public) || ",
    "if (kind === 'never' || ",
  ),
  gone('NAME_UNRESOLVED', 'egress/addresses.ts', 'if (first === undefined)'),
  gone('TLS_REFUSED', departure, 'rejectUnauthorized: !byPin', 'rejectUnauthorized: false'),
  gone('TLS_REFUSED', departure, '&& privateAddress && ', '&& '),
  gone('PIN_MISMATCH', departure, 'if (pin !== undefined && spkiHash(socket) !== pin)'),
  gone(
    'CREDENTIAL_MISSING',
    'egress/route.ts',
    "throw new EgressError('CREDENTIAL_MISSING', 'the credential cannot be read', { cause })",
    'void cause; return undefined',
  ),
  gone('TIMEOUT', gateway, 'Math.min(limits.timeoutMs, requestMs)', 'requestMs'),
  gone('TIMEOUT', gateway, 'Math.min(limits.timeoutMs, requestMs)', 'limits.timeoutMs'),
  gone('RESPONSE_TOO_LARGE', departure, 'if (bytes > maxBytes)'),
  gone('RESPONSE_INVALID', departure, "if (encoding !== 'identity')"),
  gone('TOKEN_ENDED', tunnel, 'Math.max(0, claims.exp * 1_000 - self.now())', '3_600_000'),
  gone('TIME_OVER', tunnel, 'Math.min(limits.timeoutMs, egressLimits.tunnelMs)', '3_600_000'),
  gone('TIME_OVER', door, 'dnsLookup: only(tunnel.address) as typeof lookup', ''),
  gone('EPOCH_ENDED', door, "tunnel.alive() || end('EPOCH_ENDED')", 'true'),
  gone('BYTES_OVER', door, 'if (figures.sent > egressLimits.tunnelSentBytes)'),
  gone('BYTES_OVER', door, 'if (figures.received > egressLimits.tunnelReceivedBytes)'),
]

/** What happens to a connection, and what a person does; no check gives these. */
const outcomes: ReadonlySet<string> = new Set([
  ...['CONNECT_FAILED', 'BROKEN_OFF', 'CLOSED', 'GATEWAY_STOPPED'],
])

const title = 'the cases of the gateway'
describeGuards({ title, entry: 'test/support/egress-case-runner.ts', guards })

it('every code of the gateway is given by a check that a case misses', () => {
  const codes = [...refusalCodes, ...unsentCodes, ...sentCodes, ...tunnelEnds]
  const guarded = new Set<string>(guards.map(({ code }) => code))
  expect(codes.filter((code) => !guarded.has(code) && !outcomes.has(code))).toEqual([])
  expect([...outcomes].filter((code) => guarded.has(code))).toEqual([])
})
