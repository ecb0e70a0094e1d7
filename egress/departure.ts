// Sends one request that was decided upon, to the one address that was chosen, and reads one bounded
// response, as a whole or passing it on as it comes. Name, certificate and pin are checked before a byte of the request is written; a redirect
// is a response like any other. Invariant: after `send` began, a failure is never told as unsent.

import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { defaultPorts, type Origin } from '../security/host.ts'
import { kindOfAddress } from './addresses.ts'
import { EgressError } from './codes.ts'
import { egressLimits, type ResolvedEgress } from './contract.ts'
import type { Departure } from './rules.ts'

export interface ArrivalHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface Arrival extends ArrivalHead {
  readonly bytes: number
  /** Empty where somebody listened. */
  readonly body: Buffer
}

/** Who is given a response as it comes: the head once, then what is within the bound. */
export interface Listener {
  head(head: ArrivalHead): void
  /** Resolves when there is room for more. Rejects once the signal is aborted. */
  part(bytes: Buffer, signal: AbortSignal): Promise<void>
}

export interface Route {
  /** Already chosen and judged; never a name. */
  readonly address: string
  /** Header and value, of the credential. */
  readonly credential: readonly [string, string] | undefined
  /** Certificates to trust instead of the system's. */
  readonly trusted: string | undefined
  /** Ends everything. An EgressError for a reason is what it is told as; any other is that time is over. */
  readonly signal: AbortSignal
  /** Undefined: the response is kept until it is whole. */
  readonly listener: Listener | undefined
}

/** What a reader of content needs; nothing that sets state or describes the connection. */
const returnedHeaders: readonly string[] = [
  'cache-control',
  'content-language',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'retry-after',
]

/** @throws EgressError */
export async function depart(departure: Departure, route: Route): Promise<Arrival> {
  const socket = await open(departure, route)
  try {
    return await send(departure, route, socket)
  } finally {
    socket.destroy()
  }
}

async function open({ origin, declaration }: Departure, route: Route): Promise<Socket> {
  const tcp = connectTcp({ host: route.address, port: origin.port })
  try {
    await event(tcp, 'connect', route.signal)
    if (origin.protocol === 'http') return tcp
    return await secure(tcp, origin, { ...route, declaration })
  } catch (cause) {
    tcp.destroy()
    if (cause instanceof EgressError) throw cause
    throw new EgressError('CONNECT_FAILED', 'the server cannot be reached', { cause })
  }
}

async function secure(
  tcp: Socket,
  { host, literal }: Origin,
  route: Route & { readonly declaration: ResolvedEgress },
): Promise<TLSSocket> {
  const { declaration, trusted, signal } = route
  const { pin } = declaration
  const byPin = isIdentifiedByPin(declaration, route.address)
  const socket = connectTls({
    socket: tcp,
    // An address is not sent as a name; the certificate is then checked for the address.
    ...(literal ? { host } : { host, servername: host }),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !byPin,
    ...(byPin ? { checkServerIdentity: () => undefined } : {}),
    ...(trusted === undefined ? {} : { ca: trusted }),
  })
  try {
    await event(socket, 'secureConnect', signal)
  } catch (cause) {
    socket.destroy()
    throw new EgressError('TLS_REFUSED', 'the certificate or the connection is refused', { cause })
  }
  if (pin !== undefined && spkiHash(socket) !== pin) {
    socket.destroy()
    throw new EgressError('PIN_MISMATCH', 'the server has another key than the one that is pinned')
  }
  return socket
}

/**
 * A device of the house (a lamp bridge) has a certificate that no authority signed, for a name that
 * nobody resolves: there the pinned key alone says who it is. Everywhere else chain and name are asked
 * as well. TLS has proven by now that the server holds the key.
 */
export function isIdentifiedByPin(
  { pin, privateAddress }: ResolvedEgress,
  address: string,
): boolean {
  return pin !== undefined && privateAddress && kindOfAddress(address) === 'own'
}

function spkiHash(socket: TLSSocket): string | undefined {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
  return key === undefined ? undefined : createHash('sha256').update(key).digest('base64')
}

function event(
  socket: Socket,
  name: 'connect' | 'secureConnect',
  ends: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ends, AbortSignal.timeout(egressLimits.connectMs)])
  return new Promise((resolve, reject) => {
    const give = () => reject(new Error('not in time'))
    if (signal.aborted) give()
    signal.addEventListener('abort', give, { once: true })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
    socket.once(name, resolve)
  })
}

function send(departure: Departure, route: Route, socket: Socket): Promise<Arrival> {
  const { origin, method, target, body } = departure
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(toSentError(cause, route.signal))
    if (route.signal.aborted) return fail(undefined)
    const call = httpRequest({
      // Without an agent: one would make a connection of its own.
      createConnection: () => socket,
      method,
      path: target,
      headers: toHeaders(departure, route),
      // Refuses what two readers would split differently.
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
      maxHeaderSize: 32 * 1024,
      setHost: false,
    })
    route.signal.addEventListener('abort', () => call.destroy(), { once: true })
    call.on('error', fail)
    call.on('upgrade', (_response, upgraded) => {
      upgraded.destroy()
      reject(new EgressError('RESPONSE_INVALID', `${origin.protocol} was left`))
    })
    call.on('response', (response) => {
      read(response, departure.maxBytes, route).then(resolve, fail)
    })
    call.end(body)
  })
}

function toHeaders(
  { headers, origin, body, method }: Departure,
  { credential }: Route,
): Record<string, string> {
  const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host
  const port = origin.port === defaultPorts[origin.protocol] ? '' : `:${origin.port}`
  const hasBody = method !== 'GET' && method !== 'DELETE'
  const length = hasBody ? Buffer.byteLength(body ?? '') : undefined
  return {
    ...headers,
    ...(credential === undefined ? {} : { [credential[0]]: credential[1] }),
    // From the origin that was compared, so that name, certificate and header cannot differ.
    host: `${host}${port}`,
    'accept-encoding': 'identity',
    connection: 'close',
    ...(length === undefined ? {} : { 'content-length': String(length) }),
  }
}

async function read(
  response: IncomingMessage,
  maxBytes: number,
  { listener, signal }: Route,
): Promise<Arrival> {
  const { statusCode = 0, headers } = response
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new EgressError('RESPONSE_INVALID', 'the server encodes what was asked for as it is')
  }
  const head = { status: statusCode, headers: keptOf(headers) }
  listener?.head(head)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw new EgressError('RESPONSE_TOO_LARGE', `the response is longer than ${maxBytes} bytes`)
    }
    if (listener === undefined) chunks.push(chunk)
    else await listener.part(chunk, signal)
  }
  return { ...head, bytes, body: Buffer.concat(chunks) }
}

function keptOf(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const kept = returnedHeaders.flatMap((name): [string, string][] => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value]] : []
  })
  return Object.fromEntries(kept)
}

function toSentError(cause: unknown, signal: AbortSignal): EgressError {
  if (cause instanceof EgressError) return cause
  if (signal.aborted) {
    const { reason } = signal
    if (reason instanceof EgressError) return reason
    return new EgressError('TIMEOUT', 'the time for one request is over')
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return code.startsWith('HPE_')
    ? new EgressError('RESPONSE_INVALID', 'the response is not HTTP', { cause })
    : new EgressError('BROKEN_OFF', 'the connection broke off', { cause })
}
