// Names of servers in the one form in which they are compared: what is not written in that form is
// refused, never repaired, because two programs that repair differently disagree about who is meant.
// Plan, supervisor and gateway share it. Pure; says nothing about which hosts are allowed, and does
// not resolve names.

import { isIP } from 'node:net'

/** Why a text is not a host or an origin of ours. */
export type HostFault =
  | 'CONTROL_CHARACTER'
  | 'NOT_ASCII'
  | 'UPPER_CASE'
  | 'USERINFO'
  | 'TRAILING_DOT'
  | 'IP_SPELLING'
  | 'LABEL'
  | 'PUNYCODE'
  | 'LENGTH'
  | 'PORT'
  | 'SCHEME'
  | 'PATH'

export type ParsedHost =
  | { readonly ok: true; readonly host: string; readonly literal: boolean }
  | { readonly ok: false; readonly fault: HostFault }

/** tls: a protocol under TLS that is not HTTP, spoken end to end; its port is always written. */
export type OriginProtocol = 'https' | 'http' | 'tls'

export interface Origin {
  /** As it is compared and shown: `https://host` or `https://host:port`. */
  readonly text: string
  readonly protocol: OriginProtocol
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** The host is an IP address, written by whoever wrote the origin. */
  readonly literal: boolean
}

export type ParsedOrigin =
  | { readonly ok: true; readonly origin: Origin }
  | { readonly ok: false; readonly fault: HostFault }

/** RFC 1035 section 2.3.4. */
const maxHostLength = 253
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** What some resolvers read as an IPv4 address: decimal, octal, hexadecimal, one to four parts. */
const numeric = /^(?:0x[0-9a-f]*|\d+)$/
export const defaultPorts = { https: 443, http: 80, tls: undefined } as const
const protocols = ['https', 'http', 'tls'] as const satisfies readonly OriginProtocol[]

/** A host name, or an IP address in canonical form; IPv6 in brackets. */
export function parseHost(text: string): ParsedHost {
  const fault = characterFault(text)
  if (fault !== undefined) return { ok: false, fault }
  if (text.startsWith('[') || text.includes(':')) return parseBracketed(text)
  if (isIP(text) === 4) return { ok: true, host: text, literal: true }
  if (text.endsWith('.')) return { ok: false, fault: 'TRAILING_DOT' }
  if (text.length > maxHostLength) return { ok: false, fault: 'LENGTH' }
  const labels = text.split('.')
  if (numeric.test(labels.at(-1) ?? '')) return { ok: false, fault: 'IP_SPELLING' }
  if (!labels.every((part) => label.test(part))) return { ok: false, fault: 'LABEL' }
  // The reader of a manifest must see which host is meant.
  if (labels.some((part) => part.slice(2, 4) === '--')) return { ok: false, fault: 'PUNYCODE' }
  return { ok: true, host: text, literal: false }
}

function characterFault(text: string): HostFault | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u0020\u007f]/.test(text)) return 'CONTROL_CHARACTER'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII
  if (!/^[\u0000-\u007f]*$/.test(text)) return 'NOT_ASCII'
  if (text.includes('@')) return 'USERINFO'
  if (/[A-Z]/.test(text)) return 'UPPER_CASE'
  return undefined
}

function parseBracketed(text: string): ParsedHost {
  const inner = /^\[([0-9a-f:]+)\]$/.exec(text)?.[1]
  if (inner === undefined || isIP(inner) !== 6) return { ok: false, fault: 'IP_SPELLING' }
  // The one spelling of RFC 5952, as the URL parser gives it.
  if (new URL(`http://[${inner}]`).hostname !== text) return { ok: false, fault: 'IP_SPELLING' }
  return { ok: true, host: inner, literal: true }
}

/** `https://host[:port]` and nothing after it; a port that is the scheme's own is left out. */
export function parseOrigin(text: string): ParsedOrigin {
  const fault = characterFault(text)
  if (fault !== undefined) return { ok: false, fault }
  const protocol = protocols.find((one) => text.startsWith(`${one}://`))
  if (protocol === undefined) return { ok: false, fault: 'SCHEME' }
  const rest = text.slice(protocol.length + '://'.length)
  if (/[/\\?#%]/.test(rest)) return { ok: false, fault: 'PATH' }
  const at = /:[^\]:]*$/.exec(rest.replace(/^\[[^\]]*\]/, (part) => '_'.repeat(part.length)))
  const host = parseHost(at === null ? rest : rest.slice(0, at.index))
  if (!host.ok) return host
  const written = at === null ? undefined : rest.slice(at.index + 1)
  if (written !== undefined && !/^[1-9]\d{0,4}$/.test(written)) return { ok: false, fault: 'PORT' }
  const port = written === undefined ? defaultPorts[protocol] : Number(written)
  if (port === undefined || port > 65_535) return { ok: false, fault: 'PORT' }
  if (written !== undefined && port === defaultPorts[protocol]) return { ok: false, fault: 'PORT' }
  return { ok: true, origin: { text, protocol, host: host.host, port, literal: host.literal } }
}

/** The origin of a declared host name. */
export function toOrigin(protocol: OriginProtocol, host: string, port: number): Origin {
  const suffix = port === defaultPorts[protocol] ? '' : `:${port}`
  return { text: `${protocol}://${host}${suffix}`, protocol, host, port, literal: false }
}
