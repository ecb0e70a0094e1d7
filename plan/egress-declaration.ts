// What an agent may ask of the network, as its manifest declares it, and the checks of that part of
// a manifest. Which origins a setting names is known only with a configuration; whether a request
// fits is the gateway's question. Pure.

import { parseHost } from '../security/host.ts'
import { isObject, parsePointer } from './pointer.ts'

/** PROPFIND and REPORT read a CalDAV server (RFC 4918, 3253); both carry a body and change nothing. */
export type EgressMethod = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PROPFIND' | 'REPORT'

export interface EgressRule {
  readonly methods: readonly EgressMethod[]
  /** Absolute path; `{name}` stands for one segment bound by `bind`; a trailing `/*` for any rest. */
  readonly path: string
  /**
   * `{name}` of path or query key -> RFC 6901 pointer into the step's arguments; the value must equal
   * it, rendered as text. A bound query key is sent exactly when the step has that argument.
   */
  readonly bind?: Readonly<Record<string, string>>
  /** Query keys that may be sent besides the bound ones; absent: none. '*': any. */
  readonly query?: readonly string[] | '*'
  /** A stream that stays open without a step. Known, and refused until approvals can enable it. */
  readonly standing?: boolean
}

export interface EgressDeclaration {
  readonly id: string
  /** A host name, or the setting of bulkhead.yaml `<agent>.<setting>` whose value is one or more origins, comma separated: https://host[:port] */
  readonly host: string | { readonly config: string }
  /** Of a host name; a setting's origins name their own. */
  readonly port: number
  /** tls: a tunnel to host and port, for what cannot be forwarded; the agent speaks TLS itself. */
  readonly protocol: 'https' | 'http' | 'tls'
  /** Of requests; a tunnel has none, because nobody reads what goes through it. */
  readonly allow: readonly EgressRule[]
  /** `secret`: setting of bulkhead.yaml whose value is a secret reference (file://, env://, systemd-cred://). */
  readonly credential?: {
    readonly secret: { readonly config: string }
    readonly as: 'bearer' | 'basic' | { readonly header: string }
  }
  /**
   * base64 SHA-256 of the server key's SPKI; asked in addition to the certificate's chain and name.
   * With `privateAddress`, at an address of the house: in their place, for devices whose certificate
   * nobody signed.
   */
  readonly pin?: string
  /** The person named a private or loopback address on purpose. */
  readonly privateAddress?: boolean
  /**
   * Nothing but an address of the house or of this machine is connected to: what it is told stays with the
   * owner, whatever the setting says. Needs `privateAddress`.
   */
  readonly onlyPrivate?: boolean
  /** How long one request may take, where a server thinks longer than the gateway's usual bound. */
  readonly requestMs?: number
}

/** A server that has not answered by then has lost the question, and somebody waits. */
export const longestRequestMs = 5 * 60_000

const idPattern = /^[a-z][a-z0-9-]{0,39}$/
const settingPattern = /^[a-z][a-z0-9-]{0,39}\.[A-Za-z][A-Za-z0-9_-]{0,39}$/
const methods: ReadonlySet<string> = new Set<EgressMethod>([
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
])
/** Of a template: unreserved characters, sub-delimiters that no server splits at, and `{name}`. */
const segmentPattern = /^(?:\{[A-Za-z][A-Za-z0-9_]{0,39}\}|[A-Za-z0-9._~!$'()+,=:@-]+)$/
const queryKeyPattern = /^[A-Za-z0-9_.[\]-]{1,64}$/
/** Names that the gateway sets itself, or that change how a message is read. */
const reservedHeaders =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|proxy-.*)$/

/** The action's part that these checks look at. */
interface RequestingAction {
  readonly effect: string
  readonly audience: unknown
  readonly egress?: readonly string[]
}

/**
 * The first thing wrong with what an agent declares of the network, or undefined.
 * @param inputsOf pointers of the leaves of an action's input
 */
export function faultOfEgress<Action extends RequestingAction>(
  agent: string,
  declarations: readonly EgressDeclaration[],
  actions: Readonly<Record<string, Action>>,
  inputsOf: (action: Action) => readonly string[],
): string | undefined {
  const ids = declarations.map(({ id }) => id)
  if (new Set(ids).size !== ids.length) return `${agent} declares an egress id twice`
  for (const declaration of declarations) {
    const fault = faultOfDeclaration(agent, declaration)
    if (fault !== undefined) return `${agent}: egress ${declaration.id} ${fault}`
  }
  for (const [name, action] of Object.entries(actions)) {
    const inputs = new Set((action.egress ?? []).length === 0 ? [] : inputsOf(action))
    const fault = faultOfAction(action, declarations, inputs)
    if (fault !== undefined) return `${agent}.${name}: ${fault}`
  }
  const given = (id: string, pointer: string) =>
    Object.values(actions).some(
      (action) => action.egress?.includes(id) === true && inputsOf(action).includes(pointer),
    )
  for (const { id, allow } of declarations) {
    const loose = allow.flatMap(pointersOf).find((pointer) => !given(id, pointer))
    if (loose !== undefined) return `${agent}: egress ${id} binds ${loose}, which no action has`
  }
  return undefined
}

function faultOfDeclaration(agent: string, declaration: EgressDeclaration): string | undefined {
  const { id, host, port, protocol, allow, credential, pin } = declaration
  if (!idPattern.test(id)) return 'has no proper id'
  if (typeof host === 'string') {
    const parsed = parseHost(host)
    if (!parsed.ok) return `names a host that is refused: ${parsed.fault}`
    if (parsed.literal) return 'names an address: only bulkhead.yaml may'
  } else if (!isSettingOf(agent, host.config)) return "takes its host from another agent's setting"
  if (!Number.isSafeInteger(port) || port < 1 || port > 65_535) return 'has no proper port'
  if (protocol === 'tls') return faultOfTunnel(declaration)
  if (protocol !== 'https' && protocol !== 'http') return 'has no known protocol'
  if (allow.length === 0) return 'allows nothing'
  if (credential !== undefined) {
    if (!isSettingOf(agent, credential.secret.config)) return "uses another agent's secret"
    if (!isCredentialForm(credential.as)) return 'sends its credential in a header that is reserved'
    if (protocol !== 'https' && declaration.privateAddress !== true) {
      return 'sends a credential in clear'
    }
  }
  if (pin !== undefined && !/^[A-Za-z0-9+/]{43}=$/.test(pin)) return 'has a pin that is no SHA-256'
  if (pin !== undefined && protocol !== 'https') return 'pins a key where there is none'
  if (declaration.onlyPrivate === true && declaration.privateAddress !== true) {
    return 'stays in the house and may not ask there'
  }
  const { requestMs = 1 } = declaration
  if (!Number.isSafeInteger(requestMs) || requestMs < 1 || requestMs > longestRequestMs) {
    return 'waits longer than any request may'
  }
  for (const rule of allow) {
    const fault = faultOfRule(rule)
    if (fault !== undefined) return `allows ${rule.path}, ${fault}`
  }
  return undefined
}

/** What the gateway could not do for bytes that it cannot read is not declared. */
function faultOfTunnel({
  allow,
  credential,
  pin,
  onlyPrivate,
}: EgressDeclaration): string | undefined {
  if (allow.length > 0) return 'has rules for requests, and is a tunnel'
  if (credential !== undefined) return 'has a credential, which nobody can add to a tunnel'
  if (pin !== undefined) return 'has a pin, which only its agent can check'
  if (onlyPrivate === true)
    return 'is promised to stay in the house, which is said of requests only'
  return undefined
}

function isSettingOf(agent: string, setting: string): boolean {
  return settingPattern.test(setting) && setting.startsWith(`${agent}.`)
}

function isCredentialForm(as: unknown): boolean {
  if (as === 'bearer' || as === 'basic') return true
  const header = isObject(as) ? as['header'] : undefined
  return (
    typeof header === 'string' &&
    /^[a-z][a-z0-9-]{0,60}$/.test(header) &&
    !reservedHeaders.test(header)
  )
}

/** Action -> pointer of the argument that chooses its egress, of those that have one. */
export function choicesOf(
  actions: Readonly<Record<string, { readonly audience: unknown }>>,
): Readonly<Record<string, string>> {
  const found = Object.entries(actions).flatMap(([name, { audience }]) => {
    const pointer = isObject(audience) ? audience['hostOf'] : undefined
    return typeof pointer === 'string' ? [[name, pointer] as const] : []
  })
  return Object.fromEntries(found)
}

/** Names in `{}` of a path template. */
export function parametersOf(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].flatMap(([, name]) => name ?? [])
}

function faultOfRule(rule: EgressRule): string | undefined {
  if (rule.methods.length === 0 || !rule.methods.every((one) => methods.has(one))) {
    return 'with a method that does not exist'
  }
  if (rule.standing === true) {
    return rule.methods.some((one) => one !== 'GET')
      ? 'which stands open with a method that is not GET'
      : 'which stands open without a step: that needs an approval, and approvals are not built yet'
  }
  if (!rule.path.startsWith('/')) return 'which is not an absolute path'
  const fixed = rule.path === '/' ? [] : rule.path.replace(/\/\*$/, '').slice(1).split('/')
  const written = rule.path === '/*' ? [] : fixed
  // A trailing slash is a path of its own on many servers, so an empty last segment is meant.
  const segments = written.at(-1) === '' ? written.slice(0, -1) : written
  if (segments.some((one) => !segmentPattern.test(one) || one === '.' || one === '..')) {
    return 'which has a segment that is refused'
  }
  const query = rule.query === '*' ? [] : (rule.query ?? [])
  if (query.some((key) => !queryKeyPattern.test(key))) return 'with a query key that is refused'
  const bind = rule.bind ?? {}
  const parameters = parametersOf(rule.path)
  if (new Set(parameters).size !== parameters.length) return 'which has one parameter twice'
  const unbound = parameters.find((name) => !Object.hasOwn(bind, name))
  if (unbound !== undefined) return `whose {${unbound}} is bound to nothing`
  for (const [name, pointer] of Object.entries(bind)) {
    if (!queryKeyPattern.test(name)) return `which binds ${name}, no name of a query key`
    if (pointer === '' || parsePointer(pointer) === undefined) {
      return `which binds ${name} to what is no pointer`
    }
  }
  return undefined
}

function faultOfAction(
  action: RequestingAction,
  declarations: readonly EgressDeclaration[],
  inputs: ReadonlySet<string>,
): string | undefined {
  const ids = action.egress ?? []
  const { audience } = action
  const host = isObject(audience) ? audience['host'] : undefined
  if (host !== undefined && !(typeof host === 'string' && ids.includes(host))) {
    return 'its audience is a host that it does not ask'
  }
  const isChoice = isObject(audience) && 'hostOf' in audience
  if (isChoice && declarations.some(({ id, protocol }) => ids.includes(id) && protocol === 'tls')) {
    return 'its audience is a choice, and nobody reads what goes through a tunnel'
  }
  if (ids.length === 0) return undefined
  // R5: every network request is an effect.
  if (action.effect === 'read') return 'it asks the network, so its effect is not read'
  for (const id of ids) {
    const declared = declarations.find((one) => one.id === id)
    if (declared === undefined) return `it uses the egress ${id}, which is not declared`
    // A declaration may serve several actions: each needs one rule that it has the arguments for.
    if (declared.protocol === 'tls') continue
    const fits = declared.allow.some((rule) => pointersOf(rule).every((one) => inputs.has(one)))
    if (!fits) return `its input lacks what every rule of egress ${id} binds`
  }
  return undefined
}

function pointersOf({ bind }: EgressRule): readonly string[] {
  return Object.values(bind ?? {})
}
