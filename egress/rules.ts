// May this request leave? Pure: the agent's declarations, the action and arguments of a cleared token,
// and the request; either the exact URL, headers and body to send, or a refusal that names the line
// which would allow it. Invariant: nothing of the request is sent that was not compared here.

import { type Origin, parseOrigin } from '../security/host.ts'
import { EgressError } from './codes.ts'
import {
  type AllowRule,
  type EgressRequest,
  egressLimits,
  type GatewayAgent,
  type ResolvedEgress,
} from './contract.ts'
import { encodeSegment, faultOfPath, matchPath, parametersOf } from './paths.ts'

export interface RequestQuestion {
  readonly agent: GatewayAgent
  /** Of the token that was cleared. */
  readonly action: string
  /** The very arguments whose hash the token carries. */
  readonly args: unknown
  readonly request: EgressRequest
}

export interface Departure {
  readonly declaration: ResolvedEgress
  readonly origin: Origin
  readonly method: EgressRequest['method']
  /** Path and query, encoded. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly maxBytes: number
}

/** Headers an agent may set. Everything else describes the connection, the sender or a credential. */
const settableHeaders: ReadonlySet<string> = new Set([
  'accept',
  // Which edition of its interface a provider of models is asked for; without it one answers nothing.
  'anthropic-version',
  'content-type',
  // How far below a collection a PROPFIND looks (RFC 4918, 10.2).
  'depth',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'user-agent',
])
const headerValue = /^[\u0020-\u007e]{1,1024}$/
const queryKey = /^[A-Za-z0-9_.[\]-]{1,64}$/

/** @throws EgressError */
export function decideRequest(question: RequestQuestion): Departure {
  const { request, agent, action } = question
  const declaration = findDeclaration({
    agent,
    action,
    egress: request.egress,
    args: question.args,
  })
  const origin = findOrigin(declaration, request.origin, agent.agent)
  if (origin.protocol === 'tls') {
    throw new EgressError('PROTOCOL_REFUSED', 'this egress is a tunnel and takes no requests')
  }
  const fault = faultOfPath(request.path)
  if (fault !== undefined) throw new EgressError('PATH_INVALID', `the path ${fault}`)
  const query = Object.entries(request.query ?? {})
  for (const [key, value] of query) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (!queryKey.test(key) || !value.isWellFormed() || /[\u0000-\u001f\u007f]/.test(value)) {
      throw new EgressError('QUERY_INVALID', 'the query has a key or value that is refused')
    }
  }
  findRule(question, declaration)
  const search = new URLSearchParams({ ...request.query }).toString()
  const target = search === '' ? request.path : `${request.path}?${search}`
  if (target.length > egressLimits.urlBytes) {
    throw new EgressError('QUERY_INVALID', 'path and query are too long')
  }
  return {
    declaration,
    origin,
    method: request.method,
    target,
    headers: checkHeaders(request),
    body: checkBody(request),
    maxBytes: request.maxBytes,
  }
}

export interface TunnelQuestion {
  readonly agent: GatewayAgent
  /** Of the token that was cleared. */
  readonly action: string
  readonly egress: string
  /** `<host>:<port>`, as the agent wrote it. */
  readonly target: string
}

/** @throws EgressError */
export function decideTunnel({ target, ...question }: TunnelQuestion): {
  readonly declaration: ResolvedEgress
  readonly origin: Origin
} {
  const declaration = findDeclaration(question)
  if (declaration.origins.some((text) => !text.startsWith('tls://'))) {
    throw new EgressError('PROTOCOL_REFUSED', 'this egress takes requests and is no tunnel')
  }
  return { declaration, origin: findOrigin(declaration, `tls://${target}`, question.agent.agent) }
}

function findDeclaration({
  agent,
  action,
  egress,
  args,
}: Omit<TunnelQuestion, 'target'> & { readonly args?: unknown }): ResolvedEgress {
  const file = `agents/${agent.agent}/manifest.ts`
  const declaration = agent.egress.find(({ id }) => id === egress)
  if (declaration === undefined) {
    throw new EgressError('EGRESS_UNDECLARED', 'the agent declares no such egress', {
      missing: `${file}: egress: [{ id: '${quotable(egress)}', ... }]`,
      place: `${file}:egress`,
    })
  }
  const ids = Object.hasOwn(agent.actions, action) ? (agent.actions[action] ?? []) : []
  if (!ids.includes(declaration.id)) {
    throw new EgressError('EGRESS_NOT_OF_ACTION', 'the action may not use this egress', {
      missing: `${file}: actions.${action}: egress: ['${declaration.id}']`,
      place: `${file}:actions.${action}.egress`,
    })
  }
  const { choices = {} } = agent
  const pointer = Object.hasOwn(choices, action) ? choices[action] : undefined
  if (pointer !== undefined && textAt(args, pointer) !== declaration.id) {
    throw new EgressError('BINDING_MISMATCH', 'the step chose another egress than this one')
  }
  return declaration
}

function findOrigin(
  { origins, setting, id }: ResolvedEgress,
  asked: string | undefined,
  agent: string,
): Origin {
  const line = (value: string) =>
    setting === undefined
      ? `agents/${agent}/manifest.ts: egress ${id}: host`
      : `bulkhead.yaml: agents: ${setting.replace('.', ': ')}: ${value}`
  const place =
    setting === undefined
      ? `agents/${agent}/manifest.ts:egress.${id}.host`
      : `bulkhead.yaml:${setting}`
  if (origins.length === 0) {
    throw new EgressError('NOT_CONFIGURED', 'no host is set for this egress', {
      missing: line('https://<host>'),
      place,
    })
  }
  const wanted = asked ?? (origins.length === 1 ? origins[0] : undefined)
  if (wanted === undefined) {
    throw new EgressError('ORIGIN_REFUSED', 'several hosts are set, and the request names none')
  }
  const parsed = parseOrigin(wanted)
  if (!parsed.ok) {
    throw new EgressError('ORIGIN_INVALID', `the origin is refused as written: ${parsed.fault}`)
  }
  if (!origins.includes(parsed.origin.text)) {
    throw new EgressError('ORIGIN_REFUSED', 'the host is not one that is set for this egress', {
      missing: line([...origins, parsed.origin.text].join(',')),
      place,
    })
  }
  return parsed.origin
}

/** The reasons in the order in which a rule can fail; the one that came furthest is told. */
const reasons = ['PATH_REFUSED', 'METHOD_REFUSED', 'QUERY_REFUSED', 'BINDING_MISMATCH'] as const
type Reason = (typeof reasons)[number]

function findRule({ agent, args, request }: RequestQuestion, declaration: ResolvedEgress): void {
  const verdicts = declaration.allow.map((rule) => judge(rule, request, args))
  if (verdicts.includes('FITS')) return
  const code = reasons.findLast((reason) => verdicts.includes(reason)) ?? 'PATH_REFUSED'
  const rule = `{ methods: ['${request.method}'], path: '${quotable(request.path)}' }`
  throw new EgressError(code, messageOf[code], {
    missing: `agents/${agent.agent}/manifest.ts: egress ${declaration.id}: allow: [${rule}]`,
    place: `agents/${agent.agent}/manifest.ts:egress.${declaration.id}.allow`,
  })
}

const messageOf: Readonly<Record<Reason, string>> = {
  PATH_REFUSED: 'no rule of this egress has the path',
  METHOD_REFUSED: 'no rule of this egress has the method with this path',
  QUERY_REFUSED: 'the query has a key that the rule does not allow',
  BINDING_MISMATCH: "path or query differ from the step's arguments",
}

function judge(rule: AllowRule, request: EgressRequest, args: unknown): Reason | 'FITS' {
  const found = matchPath(rule.path, request.path)
  if (found === undefined) return 'PATH_REFUSED'
  if (!rule.methods.includes(request.method)) return 'METHOD_REFUSED'
  const query = request.query ?? {}
  const bind = Object.entries(rule.bind ?? {})
  const free = rule.query ?? []
  const bound = new Set(bind.map(([name]) => name))
  const isLoose = (key: string) => free !== '*' && !free.includes(key) && !bound.has(key)
  if (Object.keys(query).some(isLoose)) return 'QUERY_REFUSED'
  const inPath = parametersOf(rule)
  for (const [name, pointer] of bind) {
    const text = textAt(args, pointer)
    const sent = inPath.has(name)
      ? found.get(name)
      : Object.hasOwn(query, name)
        ? query[name]
        : undefined
    const wanted = text !== undefined && inPath.has(name) ? encodeSegment(text) : text
    // An argument that is absent is sent as nothing, and nothing is sent in its place.
    if (sent !== wanted) return 'BINDING_MISMATCH'
  }
  return 'FITS'
}

/** The text of what a pointer names; undefined where there is nothing, and for what has no one text. */
function textAt(args: unknown, pointer: string): string | undefined {
  let value: unknown = args
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function checkHeaders({ headers = {} }: EgressRequest): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (!settableHeaders.has(name) || !headerValue.test(value)) {
      throw new EgressError('HEADER_REFUSED', 'a header may not be set, or has a refused value')
    }
  }
  return headers
}

function checkBody({ body, method }: EgressRequest): string | undefined {
  if (body === undefined) return undefined
  if (method === 'GET' || method === 'DELETE' || !body.isWellFormed()) {
    throw new EgressError('BODY_REFUSED', 'this request may not have that body')
  }
  if (Buffer.byteLength(body) > egressLimits.bodyBytes) {
    throw new EgressError('BODY_REFUSED', 'the body is too long')
  }
  return body
}

/** What an agent wrote, as part of a line for a person. */
function quotable(text: string): string {
  return text.replace(/[^A-Za-z0-9._~/{}*%-]/g, '?').slice(0, 200)
}
