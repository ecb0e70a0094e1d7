// Sees what an agent asks of the network by itself, while it is checked: in a sandbox there is none, so
// whatever asks would fail there. Replaces what every client of Node connects through, for the whole
// process: only for the process of a check. No wall: an agent that means harm gets around it.

import { Socket as DatagramSocket } from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'

/** @param onAttempt told of each attempt, in words without content */
export function refuseNetwork(onAttempt: (what: string) => void): void {
  const refuse = (what: string) => () => {
    onAttempt(what)
    throw new Error('there is no network here')
  }
  Socket.prototype.connect = refuse('it opens a connection without the gateway')
  DatagramSocket.prototype.send = refuse('it sends a datagram')
  DatagramSocket.prototype.connect = refuse('it opens a datagram socket')
  for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6'] as const) {
    Object.assign(dns, { [name]: refuse('it asks for the address of a name') })
    Object.assign(dns.promises, { [name]: refuse('it asks for the address of a name') })
  }
  syncBuiltinESMExports()
}

/**
 * Node's permission model refuses what needs nothing but an open file: setting its mode, and waiting for the
 * disk (its documentation, "Permission Model constraints"). Agents do both when they replace a file. Here
 * the two are taken as done: no check depends on them.
 */
export function takeFilesAsKept(): void {
  const done = () => undefined
  Object.assign(fs, { fchmodSync: done, fsyncSync: done, fdatasyncSync: done })
  syncBuiltinESMExports()
}
