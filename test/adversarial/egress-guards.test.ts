// For each refusal of the gateway and each end of a tunnel: the check that gives it, removed alone from
// what is built, and the case that then comes to something else. A check that no case misses fails.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type EgressCode,
  refusalCodes,
  sentCodes,
  type TunnelEnd,
  tunnelEnds,
  unsentCodes,
} from '../../egress/codes.ts'
import { printTable } from '../support/case-table.ts'
import type { EgressCaseResult } from '../support/egress-case-runner.ts'
import { type Guard as AnyGuard, buildWithout } from '../support/one-check-less.ts'

type Code = EgressCode | TunnelEnd
type Guard = AnyGuard<Code>

const admission = 'egress/admission.ts'
const rules = 'egress/rules.ts'
const departure = 'egress/departure.ts'
const gateway = 'egress/gateway.ts'
const tunnel = 'egress/tunnel.ts'
const door = 'egress/tunnel-door.ts'
const never = 'if (Date.now() < 0)'
/** What a token says of itself, for a gateway that believes it. */
const said = "JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())"
const gone = (code: Code, file: string, check: string, instead = never): Guard => ({
  ...{ code, file, check, instead },
})

const guards: readonly Guard[] = [
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
    "if (kind === 'public' || ",
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
  gone(
    'TIMEOUT',
    gateway,
    'Math.min(limits.timeoutMs, egressLimits.requestMs)',
    'egressLimits.requestMs',
  ),
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

const base = mkdtempSync(join(tmpdir(), 'bulkhead-egress-guards-'))
const rows: (readonly string[])[] = []
let builds = 0

async function failingCases(guard?: Guard): Promise<readonly EgressCaseResult[]> {
  builds += 1
  const outfile = join(base, `cases-${builds}.mjs`)
  await buildWithout(guard, { entry: 'test/support/egress-case-runner.ts', outfile })
  const cases = (await import(pathToFileURL(outfile).href)) as {
    runEgressCases(wanted?: string): Promise<readonly EgressCaseResult[]>
  }
  return (await cases.runEgressCases(guard?.code)).filter(({ wanted, got }) => wanted !== got)
}

beforeAll(() => {
  const root = resolve(import.meta.dirname, '..', '..')
  symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'))
})
afterAll(() => {
  rmSync(base, { recursive: true, force: true })
  printTable(
    'each check of the gateway, removed alone',
    ['code', 'removed from', 'case that fails', 'it then comes to'],
    rows,
  )
})

describe('the cases of the gateway', () => {
  it('all come to what they should as the sources are', async () => {
    expect(await failingCases()).toEqual([])
  })

  it.each(guards)('notice that $code is not asked any more: $check', async (guard) => {
    const [first] = await failingCases(guard)
    expect(first).toBeDefined()
    rows.push([guard.code, guard.file, first?.name ?? '', first?.got ?? ''])
  })

  it('are asked by a check for every code there is', () => {
    const codes = [...refusalCodes, ...unsentCodes, ...sentCodes, ...tunnelEnds]
    const guarded = new Set<string>(guards.map(({ code }) => code))
    expect(codes.filter((code) => !guarded.has(code) && !outcomes.has(code))).toEqual([])
    expect([...outcomes].filter((code) => guarded.has(code))).toEqual([])
  })
})
