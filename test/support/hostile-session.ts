// A hostile agent's words on the bus, without a client library: TLS over the mounted socket, a CONNECT
// signed with the agent's own key, then any bytes at all. What the server answers is returned as it is.

import { readFileSync } from 'node:fs'
import { connect as dialTcp, type Socket } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { fromSeed } from '@nats-io/nkeys'

type Order = Readonly<Record<string, unknown>>

export interface Heard {
  readonly text: string
  /** The server ended the connection. */
  readonly ended: boolean
}

const bus = '/secrets/bus'
const file = (name: string) => readFileSync(`${bus}/${name}`)
const open = new Set<Socket>()

function own(): ConnectionOptions {
  return { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') }
}

/** The certificate is for a name; the socket has none. */
const secure = (options: ConnectionOptions): TLSSocket =>
  tlsConnect({
    ...options,
    socket: dialTcp('/run/bus.sock'),
    checkServerIdentity: () => undefined,
  })

/** `options`: other certificates, another version; `plain`: no TLS at all. What the server says first. */
export function listen(order: Order): Promise<Heard> {
  const options = (order['options'] ?? {}) as ConnectionOptions
  const words = String(order['words'] ?? '')
  const patienceMs = Number(order['patienceMs'] ?? 9_000)
  return new Promise((resolve) => {
    const identity = order['stranger'] === true ? { ca: file('ca.pem') } : own()
    const socket =
      order['plain'] === true ? dialTcp('/run/bus.sock') : secure({ ...identity, ...options })
    let text = ''
    const end = (ended: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, ended })
    }
    const timer = setTimeout(() => end(false), patienceMs)
    if (words !== '') socket.once('connect', () => socket.write(words))
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1')
      if (/^INFO/.test(text)) end(false)
    })
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
  })
}

/**
 * `lines`: sent after CONNECT, each with its line end; `padBytes`: so many bytes behind the last one;
 * `waitMs`: how long to listen; `deaf`: stops reading after that and stays connected; `stay`: keeps it.
 */
export async function speak(order: Order): Promise<Heard> {
  const lines = (order['lines'] ?? []) as readonly string[]
  const waitMs = Number(order['waitMs'] ?? 150)
  const padBytes = Number(order['padBytes'] ?? 0)
  const socket = secure(own())
  open.add(socket)
  let text = ''
  let ended = false
  const gone = new Promise<void>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => {
      ended = true
      open.delete(socket)
      resolve()
    })
  })
  const greeted = new Promise<string>((resolve) => {
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1')
      const info = /^INFO (\{.*\})\s/.exec(text)
      if (info?.[1] !== undefined) resolve(info[1])
    })
  })
  const info = await Promise.race([greeted, gone.then(() => '')])
  if (info === '') return { text, ended }
  const { nonce } = JSON.parse(info) as { nonce: string }
  const user = fromSeed(file('nkey.seed'))
  const hello = {
    ...{ verbose: false, pedantic: false, lang: 'x', version: '1', protocol: 1, headers: true },
    ...{ nkey: user.getPublicKey() },
    ...{ sig: Buffer.from(user.sign(Buffer.from(nonce))).toString('base64url') },
  }
  text = ''
  socket.write(`CONNECT ${JSON.stringify(hello)}\r\nPING\r\n`)
  socket.write(lines.map((line) => `${line}\r\n`).join(''))
  if (padBytes > 0) socket.write(Buffer.alloc(padBytes, 120))
  socket.write('\r\nPING\r\n')
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, waitMs))])
  if (order['deaf'] === true) socket.pause()
  else if (order['stay'] !== true) socket.destroy()
  // A flood of refusals would not fit into one reply.
  return { text: text.slice(0, 65_536), ended }
}

export function dropSessions(): number {
  const count = open.size
  for (const socket of open) socket.destroy()
  open.clear()
  return count
}
