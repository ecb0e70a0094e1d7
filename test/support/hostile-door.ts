// A hostile agent at the gateway's door: any bytes at all over the mounted socket, and what came back.

import { connect } from 'node:net'

type Order = Readonly<Record<string, unknown>>

/** `text`: one character a byte; `waitMs`: how long to listen when nobody closes. */
export function knock(order: Order): Promise<{ readonly text: string; readonly ended: boolean }> {
  return new Promise((resolve) => {
    const socket = connect('/run/egress.sock')
    let text = ''
    const end = (ended: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text: text.slice(0, 16_384), ended })
    }
    const timer = setTimeout(() => end(false), Number(order['waitMs'] ?? 4_000))
    socket.once('connect', () => socket.write(Buffer.from(String(order['text']), 'latin1')))
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1')
    })
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
  })
}
